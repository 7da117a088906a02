package googlellm

import (
	"strings"
	"time"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/subsystem/llm/llm"
	"github.com/sre-go/sre/subsystem/llm/models"
	"github.com/sre-go/sre/value"
)

// refused returns how a refusal for a model is read.
func (c *client) refused(target *models.Model) func(int, value.Value) llm.Refusal {
	return func(status int, body value.Value) llm.Refusal {
		r := refusal(body)
		switch {
		case r.Kind == fault.Unauthenticated || status == 401 || status == 403:
			r.Hint = "check the key: sre vault set googleai"
			if c.cloud {
				r.Hint = "check the key of the service account in the vault (sre vault set NAME), and that the account may use Vertex AI in the project (role roles/aiplatform.user)"
			}
		case status == 404:
			r.Hint = "check the id of the model " + target.ModelID
			if c.cloud {
				r.Hint += ", and whether its location has it"
			}
		case status == 429:
			r.Hint = "ask less often, raise the quota of the project, or name a fallback model"
		}
		return r
	}
}

// refusal reads an error in the form of https://google.aip.dev/193. A wrong key is told with the status of a wrong request.
func refusal(body value.Value) llm.Refusal {
	failure := body.Get("error")
	if list := body.At(0); list.IsObject() { // streams that are refused may answer with a list
		failure = list.Get("error")
	}
	r := llm.Refusal{Message: failure.GetString("message")}
	if r.Message == "" {
		if r.Message = body.GetString("error_description"); r.Message == "" {
			r.Message, _ = body.Str()
		}
	}
	for _, d := range failure.Get("details").Items() {
		switch kind := d.GetString("@type"); {
		case strings.HasSuffix(kind, "google.rpc.ErrorInfo") && strings.HasPrefix(d.GetString("reason"), "API_KEY_"):
			r.Kind = fault.Unauthenticated
		case strings.HasSuffix(kind, "google.rpc.RetryInfo"):
			if wait, err := time.ParseDuration(d.GetString("retryDelay")); err == nil && wait > 0 {
				r.After = wait
			}
		}
	}
	return r
}
