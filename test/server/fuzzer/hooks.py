"""What the documents cannot say: these answers, which the fuzzer takes for failures, are right."""

import schemathesis
from schemathesis.core.failures import Failure
from schemathesis.openapi.checks import RejectedPositiveData, UseAfterFree

DOCUMENTED_REFUSALS = (
    # No random text is a token that the server signed.
    "accessToken must be a valid access token of the session",
    # It depends on the settings of the server which applications there are.
    "a server with API keys creates no applications on request: name it with --app",
    # JSON Schema counts code points, and the server counts UTF-16 code units, without U+0000.
    "the user id must be a string of ",
    # Limitations of every JSON body, at any depth.
    "the body must have no member named __proto__, at any depth",
    "the body must have no number beyond 1.8e308, at any depth",
)


@schemathesis.hook
def filter_failure(
    context: schemathesis.HookContext,
    failure: Failure,
    case: schemathesis.Case,
    response: schemathesis.Response,
) -> bool:
    """Returns whether a failure counts."""
    # The list of a user's sessions is always there: a deletion removes those of one tenant, or all but one, or all.
    if isinstance(failure, UseAfterFree) and case.operation.path.endswith("/users/{userId}/sessions"):
        return False
    is_refusal = isinstance(failure, RejectedPositiveData) and response.status_code == 400
    return not (is_refusal and any(words in response.text for words in DOCUMENTED_REFUSALS))
