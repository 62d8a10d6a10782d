"""How a call is refused. Codes and texts are the cloud's own where they are published."""


class ApiError(Exception):
    """An error that the API answers inside HTTP 200."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


class ForbiddenCall(Exception):
    """A form of call that this project never makes; answered with HTTP 500 and remembered."""


class MissingResponseError(Exception):
    """The connection is to be cut without an answer."""


class ServerFaultError(Exception):
    """A fault of the gateway: HTTP 500 without an answer of the API."""


def missing(parameter: str) -> ApiError:
    return ApiError("MissingParameter", f"The request is missing a required parameter `{parameter}`.")


def bad_value(message: str) -> ApiError:
    return ApiError("InvalidParameterValue", message)


def too_long(parameter: str, bound: int) -> ApiError:
    """The text that the server is known to use for lists (CreateListener page, `.Ports`)."""
    return ApiError("InvalidParameterValue.Length", f"Length of .{parameter} should be less than {bound + 1}")


def lb_not_found(lb_id: str) -> ApiError:
    return ApiError("InvalidParameter.LBIdNotFound", f"LoadBalancer {lb_id} not found")


def listener_not_found(listener_id: str) -> ApiError:
    return ApiError("InvalidParameter.ListenerIdNotFound", f"Listener {listener_id} not found")


def location_not_found(location_id: str) -> ApiError:
    return ApiError("InvalidParameter.LocationNotFound", f"Location {location_id} not found")


def busy(lb_id: str) -> ApiError:
    """Text of certimate issue 861, seen on the real service."""
    return ApiError(
        "FailedOperation.ResourceInOperating",
        f"Loadbalancer({lb_id}) is not in normal desState, maybe some tasks are being processed, please try later.",
    )


def quota(what: str, limit: int) -> ApiError:
    return ApiError("LimitExceeded", f"The quota of {what} is exceeded, the limit is {limit}.")
