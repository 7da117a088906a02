package httpserver

import (
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/agent"
	"github.com/sre-go/sre/internal/engine"
	"github.com/sre-go/sre/value"
)

// codeKilled is the code of a run that somebody ended.
const codeKilled = "AGENT_KILLED"

// statusError is an error with a status of its own, where the kind of an error says less than HTTP can.
type statusError struct {
	status int
	err    error
}

func (e *statusError) Error() string { return e.err.Error() }

func (e *statusError) Unwrap() error { return e.err }

// bug is a panic of a handler. What was thrown is not part of it, because it may hold data of an agent.
type bug struct {
	cause string // type of what was thrown
	stack []byte
}

func newBug(thrown any) *bug { return &bug{cause: fmt.Sprintf("%T", thrown), stack: debug.Stack()} }

func (b *bug) Error() string { return "internal error" }

// statusOf returns the status that answers an error.
func statusOf(err error) int {
	var own *statusError
	var killed *engine.KilledError
	switch {
	case errors.As(err, &own):
		return own.status
	case errors.As(err, &killed):
		return http.StatusConflict
	}
	return fault.KindOf(err).HTTPStatus()
}

// errorBody describes an error to the caller. Errors that nobody classified may hold anything, so of those the caller
// sees the id of the request, by which the log has the rest.
func errorBody(err error, id string) value.Value {
	text, hint := err.Error(), ""
	var f *fault.Error
	if errors.As(err, &f) {
		hint = f.Hint
		bare := *f
		bare.Hint = ""
		text = bare.Error()
	}
	code := fault.CodeOf(err)
	var killed *engine.KilledError
	switch {
	case errors.As(err, &killed):
		return agent.ErrorData(err).With("code", value.Of(codeKilled))
	case f == nil && fault.KindOf(err) == fault.Internal:
		text, hint = "internal error", "the log of the server has more about request "+id
	}
	b := value.NewBuilder(3).Set("error", value.Of(text)).Set("code", value.Of(code))
	if hint != "" {
		b.Set("hint", value.Of(hint))
	}
	return b.Build()
}

// clip shortens text of a client that an error repeats.
func clip(text string) string {
	if len(text) > 100 {
		return text[:100] + "…"
	}
	return text
}
