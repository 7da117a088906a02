package httpserver

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/engine"
)

func TestErrorBody(t *testing.T) {
	t.Parallel()
	hinted := fault.Hint(fault.Newf(fault.Denied, "no"), "ask")
	tests := []struct {
		name   string
		err    error
		status int
		want   string
	}{
		{"kind", fault.Newf(fault.Conflict, "taken"), 409, `{"error":"taken","code":"CONFLICT"}`},
		{"hint", hinted, 403, `{"error":"no","code":"ACCESS_DENIED","hint":"ask"}`},
		{"hint with operation", &fault.Error{Op: "storage.read", Resource: "a", Kind: fault.NotFound, Hint: "write it"}, 404, `{"error":"storage.read \"a\": NOT_FOUND","code":"NOT_FOUND","hint":"write it"}`},
		{"limit", fault.Limitf("steps", "too many"), 413, `{"error":"too many","code":"LIMIT_EXCEEDED(steps)"}`},
		{"own status", &statusError{415, hinted}, 415, `{"error":"no","code":"ACCESS_DENIED","hint":"ask"}`},
		{"killed", fault.New(fault.Canceled, &engine.KilledError{Reason: "kill"}), 409, `{"error":"AGENT_KILLED","reason":"kill","code":"AGENT_KILLED"}`},
		{"client gone", context.Canceled, 499, `{"error":"context canceled","code":"CANCELED"}`},
		{"too late", context.DeadlineExceeded, 504, `{"error":"context deadline exceeded","code":"TIMEOUT"}`},
		{"unclassified", fmt.Errorf("open /home/x/secret: %w", errors.New("canary")), 500, `{"error":"internal error","code":"INTERNAL","hint":"the log of the server has more about request ID"}`},
		{"panic", newBug("canary"), 500, `{"error":"internal error","code":"INTERNAL","hint":"the log of the server has more about request ID"}`},
	}
	for _, tt := range tests {
		if status, body := statusOf(tt.err), errorBody(tt.err, "ID").JSON(); status != tt.status || body != tt.want {
			t.Errorf("%s: %d %s, want %d %s", tt.name, status, body, tt.status, tt.want)
		}
	}
	if hinted.Error() != "no (ask)" {
		t.Errorf("the error reads %q afterwards, want it unchanged", hinted)
	}
}
