package testmodel

import "github.com/sre-go/sre/value"

// Exchange is a request and what it is answered with, in short.
type Exchange struct {
	N      int    // of the request, from 1
	Path   string // below /v1
	Model  string
	Stream bool
	Role   string // of the last message
	Rule   int    // that answers, from 0; -1 when none fits
	Answer string // what kind of reply: text, tools, error 429, close and so on
}

// Value returns the exchange as an object.
func (x Exchange) Value() value.Value {
	return value.Obj(
		value.M("request", value.OfInt(x.N)), value.M("path", value.Of(x.Path)), value.M("model", value.Of(x.Model)),
		value.M("stream", value.OfBool(x.Stream)), value.M("lastRole", value.Of(x.Role)), value.M("rule", value.OfInt(x.Rule)),
		value.M("answer", value.Of(x.Answer)),
	)
}

func (s *Server) tell(x Exchange) {
	if s.c.Seen == nil {
		return
	}
	s.telling.Lock()
	defer s.telling.Unlock()
	s.c.Seen(x)
}

// kind says in a word or two what a reply does.
func (r reply) kind() string {
	kind := "text"
	switch {
	case r.drop:
		kind = "close"
	case !r.raw.IsAbsent():
		kind = "body"
	case !r.failure.IsAbsent():
		kind = "error " + value.FormatNumber(float64(r.status))
	case len(r.tools) > 0:
		kind = "tools"
	}
	switch {
	case r.stall:
		kind += ", stalls"
	case r.cutBytes >= 0 || r.abortAfter >= 0:
		kind += ", cut"
	}
	return kind
}
