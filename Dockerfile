# The app for a team: looking, judging, reports. `--build-arg EXTRAS=all` adds PyTorch and what runs models.
ARG PYTHON=python:3.11-slim

FROM ${PYTHON} AS build
ARG EXTRAS=teams
# An index of your own, such as one with PyTorch for processors alone.
ARG PIP_EXTRA_INDEX_URL
WORKDIR /src
COPY . .
RUN python3 -m venv /opt/csp \
    && /opt/csp/bin/pip install --no-cache-dir --constraint constraints.txt ".[${EXTRAS}]"

FROM ${PYTHON}
COPY --from=build /opt/csp /opt/csp
RUN useradd --uid 10001 --no-create-home --home-dir /data csp && mkdir /data && chown csp /data
# All that is ever written lies in /data, so the rest can be mounted read-only (with a tmpfs at /tmp).
ENV PATH=/opt/csp/bin:$PATH HOME=/data CSP_HOME=/data CSP_ADDRESS=0.0.0.0 CSP_PORT=8501 CSP_PREFIX= \
    PYTHONDONTWRITEBYTECODE=1
USER csp
WORKDIR /data
VOLUME /data
EXPOSE 8501
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s CMD ["csp", "doctor", "--server"]
ENTRYPOINT ["csp"]
CMD ["demo", "--no-browser"]
