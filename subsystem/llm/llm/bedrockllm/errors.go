package bedrockllm

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	smithy "github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/subsystem/llm/llm"
)

// explain gives an error of the SDK its kind and says what to do about it. What our own way out refused stays as it is.
func (c *client) explain(ctx context.Context, err error) error {
	var own *fault.Error
	var api smithy.APIError
	var response *smithyhttp.ResponseError
	status, after := 0, time.Duration(0)
	if errors.As(err, &response) && response.Response != nil {
		status, after = response.HTTPStatusCode(), llm.AskedFor(response.Response.Header, c.env.Effects)
	}
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.As(err, &own) && own.Kind != fault.Unavailable:
		return own
	case errors.As(err, &api):
		return refused(api, status, after)
	case status >= http.StatusBadRequest:
		return llm.RefusedFor(status, "", after)
	}
	return &fault.Error{Kind: fault.Unavailable, Err: &llm.ProviderError{Message: "Connection error."}, Hint: err.Error()}
}

// refused is an error that the provider names. In the middle of an answer it comes without a status.
func refused(api smithy.APIError, status int, after time.Duration) error {
	code := api.ErrorCode()
	message := strings.TrimSuffix(strings.TrimSpace(code+": "+api.ErrorMessage()), ":")
	known, hint := advice(code, message)
	if status < http.StatusBadRequest {
		status = known
	}
	switch strings.ToLower(code) {
	case "modelnotreadyexception", "modelerrorexception", "modelstreamerrorexception": // its statuses mean something else elsewhere
		e := &llm.ProviderError{Status: status, Message: message, RetryAfter: after}
		return &fault.Error{Kind: fault.Unavailable, Err: e, Hint: hint}
	case "servicequotaexceededexception":
		e := &llm.ProviderError{Status: status, Message: message, RetryAfter: after}
		return &fault.Error{Kind: fault.RateLimited, Err: e, Hint: hint}
	}
	err := llm.RefusedFor(status, message, after)
	if hint == "" {
		return err
	}
	return fault.Hint(err, "%s", hint)
}

// advice returns the status that an error usually comes with, and what to do.
func advice(code, message string) (status int, hint string) {
	switch strings.ToLower(code) {
	case "throttlingexception":
		return http.StatusTooManyRequests, "ask less often, raise the quota of the model in the region, or name a fallback model"
	case "servicequotaexceededexception":
		return http.StatusBadRequest, "raise the quota of the account in the region, or name a fallback model"
	case "validationexception":
		if strings.Contains(message, "on-demand throughput") {
			return http.StatusBadRequest, "name the inference profile instead of the model, such as us.anthropic.claude-… in the United States"
		}
		return http.StatusBadRequest, ""
	case "accessdeniedexception":
		return http.StatusForbidden, "allow the key bedrock:InvokeModel and bedrock:InvokeModelWithResponseStream, and ask for access to the model in the console of Bedrock in this region"
	case "unrecognizedclientexception", "invalidsignatureexception", "invalidclienttokenid":
		return http.StatusForbidden, "check the access key id and the secret in the vault"
	case "expiredtokenexception":
		return http.StatusForbidden, "the session token is over: store a new key with its session token in the vault"
	case "resourcenotfoundexception":
		return http.StatusNotFound, "check the id of the model and whether its region has it"
	case "modelnotreadyexception":
		return http.StatusTooManyRequests, "the model is being started: try again in some minutes"
	case "modeltimeoutexception":
		return http.StatusRequestTimeout, "ask for a shorter answer, or name a fallback model"
	case "modelerrorexception", "modelstreamerrorexception":
		return http.StatusFailedDependency, "the model failed, not the request: try again, or name a fallback model"
	case "serviceunavailableexception":
		return http.StatusServiceUnavailable, ""
	}
	return http.StatusInternalServerError, ""
}
