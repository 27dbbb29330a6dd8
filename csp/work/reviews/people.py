"""Who may do what: the settings in `team.toml`, and the person that a sign-in stands for (docs/teams.md).

team = read_team()                                   # no file: everybody types a name, on their own machine
team.person_of_claims({"email": "ann@hospital.org"}) # signed in by OIDC; NoAccessError says why not
team.person_of_headers(headers)                      # vouched for by the hospital's proxy
"""

import hmac
import os
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from csp.errors import BadInputError, CspError
from csp.files import read_regular
from csp.keeping.home import home
from csp.keeping.reviews.vocabulary import Role
from csp.work.reviews.desk import Person

FILE, VARIABLE, SECRET = "team.toml", "CSP_TEAM", "CSP_PROXY_SECRET"
SHORTEST_SECRET = 16
LOCAL = ("localhost", "127.0.0.1", "::1")
"""Names of the machine itself: a server answers to them without being told."""
_RANKS = (Role.VIEWER, Role.REVIEWER, Role.ADMIN)

Headers = Mapping[str, Sequence[str]]
"""Names in lower case, each with every value that was sent."""


class NoAccessError(CspError):
    """Somebody is not signed in, or may not see anything."""


class Proxy(BaseModel):
    """Which headers the hospital's proxy sets. It proves itself by the secret that only it and we know."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    user_header: str = "X-Forwarded-Email"
    roles_header: str | None = None
    secret_header: str = "X-CSP-Proxy-Secret"  # noqa: S105 # a name, no secret


class Team(BaseModel):
    """Settings of a shared server."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    sign_in: Literal["name", "oidc", "proxy"] = "name"
    """How people say who they are: by typing a name, by OpenID Connect, or by a proxy's header."""
    identity: str = "email"
    """The claim that names a person in the record; choose one that nobody can change for themselves."""
    role_claim: str | None = None
    """The claim that holds a role or group, or a list of them."""
    default_role: Literal["none", "viewer", "reviewer"] = "viewer"
    """What someone may do who signed in but stands nowhere: with `none`, not even look."""
    people: Mapping[str, Role] = Field(default_factory=dict)
    groups: Mapping[str, Role] = Field(default_factory=dict)
    """Roles by the names that the claim or header uses; ours are understood without."""
    proxy: Proxy = Proxy()
    hosts: Sequence[str] = ()
    """Names under which browsers reach the server, without scheme and port; others are refused."""

    @field_validator("hosts")
    @classmethod
    def _bare_names(cls, hosts: Sequence[str]) -> Sequence[str]:
        for host in hosts:
            if not re.fullmatch(r"[A-Za-z0-9._-]+|[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*", host):
                raise ValueError(
                    f"{host!r} is no name of a host: write csp.clinic.org, without https:// or port"
                )
        return tuple(host.lower().rstrip(".") for host in hosts)

    @model_validator(mode="after")
    def _secret_is_there(self) -> Self:
        if self.sign_in == "proxy" and len(_secret()) < SHORTEST_SECRET:
            raise ValueError(f"sign_in = 'proxy' needs a secret of {SHORTEST_SECRET} characters in {SECRET}")
        return self

    @property
    def problem(self) -> str | None:
        """What keeps a team from getting in, in a sentence."""
        if self.sign_in == "proxy" and not self.hosts:
            return (
                f"{FILE} has no hosts: pages get no connection behind the proxy; name the host that people "
                'type into their browser, e.g. hosts = ["csp.clinic.org"]'
            )
        return None

    def person_of_claims(self, claims: Mapping[str, Any]) -> Person:
        """The person whom an identity provider vouches for."""
        name = str(claims.get(self.identity) or "").strip()
        if not name:
            raise NoAccessError(
                f"The sign-in does not say your {self.identity}: ask whoever runs this server"
            )
        if self.identity == "email" and claims.get("email_verified") in (False, "false"):
            raise NoAccessError(f"The address {name} is not verified yet: verify it, then sign in again")
        given = claims.get(self.role_claim) if self.role_claim else None
        return self._person(name, [given] if isinstance(given, str) else given or [])

    def person_of_headers(self, headers: Headers) -> Person:
        """The person whom the proxy vouches for; whatever did not come through it counts for nothing."""
        sent = _only(headers, self.proxy.secret_header)
        if not hmac.compare_digest(sent.encode(), _secret().encode()):
            raise NoAccessError("This address is for the proxy only: open the app where you sign in")
        name = _only(headers, self.proxy.user_header)
        if not name or "," in name:  # two values, joined on the way: one of them may be the visitor's own
            raise NoAccessError("The proxy does not say who you are: sign in there again")
        roles = _only(headers, self.proxy.roles_header) if self.proxy.roles_header else ""
        return self._person(name, roles.split(","))

    def _person(self, name: str, given: Iterable[object]) -> Person:
        """The highest of the roles that someone has by name or group, else the default."""
        known = {str(role): role for role in Role} | dict(self.groups)
        roles = [known[str(one).strip()] for one in given if str(one).strip() in known]
        people = {one.casefold(): role for one, role in self.people.items()}
        if name.casefold() in people:
            roles.append(people[name.casefold()])
        if not roles and self.default_role == "none":
            raise NoAccessError(f"{name} is not on the list of this server: ask whoever runs it")
        role = max(roles, key=_RANKS.index) if roles else Role(self.default_role)
        return Person(name=name, verified=True, role=role)


def read_team() -> Team:
    """The settings in the file that `CSP_TEAM` names, else in `team.toml` of `CSP_HOME`; BadInputError."""
    given = os.environ.get(VARIABLE, "").strip()
    path = Path(given) if given else home() / FILE
    try:
        return Team.model_validate(tomllib.loads(read_regular(path).decode("utf-8-sig")))
    except FileNotFoundError:
        if given:  # a shared server must not open up because a file went missing
            raise BadInputError(f"{VARIABLE} names {path}, which does not exist") from None
        return Team()
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise BadInputError(f"{path} can't be read: {error}") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise BadInputError(f"{path}: {where}{': ' if where else ''}{first['msg']}") from None


def _secret() -> str:
    return os.environ.get(SECRET, "").strip()


def _only(headers: Headers, name: str) -> str:
    """The header's value if it was sent exactly once, else nothing."""
    values = headers.get(name.lower(), ())
    return values[0].strip() if len(values) == 1 else ""
