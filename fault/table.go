package fault

import "net/http"

// HTTPStatus returns the status that answers an error of the kind.
func (k Kind) HTTPStatus() int {
	switch k {
	case Invalid:
		return http.StatusUnprocessableEntity
	case NotFound:
		return http.StatusNotFound
	case Denied:
		return http.StatusForbidden
	case Unauthenticated:
		return http.StatusUnauthorized
	case Conflict:
		return http.StatusConflict
	case Unavailable:
		return http.StatusServiceUnavailable
	case RateLimited:
		return http.StatusTooManyRequests
	case Canceled:
		return 499 // client closed the request; the de-facto code of nginx
	case Timeout:
		return http.StatusGatewayTimeout
	case Unsupported:
		return http.StatusNotImplemented
	case Limit:
		return http.StatusRequestEntityTooLarge
	}
	return http.StatusInternalServerError
}

// ExitCode returns the exit status of a command that ends with an error of the kind.
// 0 is success and 2 is wrong usage; these start at 3, after sysexits in spirit but stable and short.
func (k Kind) ExitCode() int {
	switch k {
	case Invalid:
		return 3
	case NotFound:
		return 4
	case Denied, Unauthenticated:
		return 5
	case Unavailable, RateLimited:
		return 6
	case Timeout:
		return 7
	case Limit:
		return 8
	case Conflict:
		return 9
	case Unsupported:
		return 10
	case Canceled:
		return 130
	}
	return 1
}
