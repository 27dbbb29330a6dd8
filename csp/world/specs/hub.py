"""Why the Hugging Face hub did not give something, in words that say what to do."""

from collections.abc import Iterator

from csp.extras import optional
from csp.world.specs.registry import reason


def hub_reason(error: BaseException) -> str:
    """As `reason`, but for the hub's own refusals, which libraries wrap in errors of their own."""
    with optional():
        from huggingface_hub import errors
    for one in _causes(error):
        status = getattr(getattr(one, "response", None), "status_code", None)
        if isinstance(one, errors.GatedRepoError) or status == 403:
            return "it is given to who asks for it: accept its terms on its page, then `hf auth login`"
        if isinstance(one, errors.RevisionNotFoundError):
            return "it has no such version"
        if isinstance(one, errors.RepositoryNotFoundError) or status == 401:
            return "there is none of this name, or it is private: then `hf auth login` first"
    return reason(error)


def _causes(error: BaseException) -> Iterator[BaseException]:
    one: BaseException | None = error
    while one is not None:
        yield one
        one = one.__cause__ or one.__context__
