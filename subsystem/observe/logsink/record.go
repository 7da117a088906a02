package logsink

import (
	"strings"
	"time"

	"github.com/sre-go/sre/secret"
	"github.com/sre-go/sre/value"
)

// Record tells of one call of a component. Fields that are zero are not said. It is plain data.
type Record struct {
	Source    string // id of the component that called, with its type and step: "c1@APIEndpoint@1"
	Component string // id of the called component, likewise
	Name      string // of the called component, for people
	Domain    string // the agent was called at
	Step      int    // of the run
	Workflow  string // id of the request across nested agents
	Process   string // id of the run
	Session   string // id of the caller's session
	Tags      string

	Input, Output, Result value.Value
	Error                 string
	Began, Ended          time.Time
}

// With returns the record completed by another one: what that one says counts.
func (r Record) With(more Record) Record {
	text := func(to *string, from string) {
		if from != "" {
			*to = from
		}
	}
	text(&r.Source, more.Source)
	text(&r.Component, more.Component)
	text(&r.Name, more.Name)
	text(&r.Domain, more.Domain)
	text(&r.Workflow, more.Workflow)
	text(&r.Process, more.Process)
	text(&r.Session, more.Session)
	text(&r.Tags, more.Tags)
	text(&r.Error, more.Error)
	data := func(to *value.Value, from value.Value) {
		if !from.IsAbsent() {
			*to = from
		}
	}
	data(&r.Input, more.Input)
	data(&r.Output, more.Output)
	data(&r.Result, more.Result)
	if more.Step != 0 {
		r.Step = more.Step
	}
	if !more.Began.IsZero() {
		r.Began = more.Began
	}
	if !more.Ended.IsZero() {
		r.Ended = more.Ended
	}
	return r
}

func (r Record) redacted() Record {
	r.Input, r.Output, r.Result = Redact(r.Input), Redact(r.Output), Redact(r.Result)
	return r
}

// Redact returns the value with the members replaced that are named like secrets, at any depth: passwords, tokens,
// keys, cookies, headers that authenticate. Numbers and booleans stay: a count of tokens is no secret.
func Redact(v value.Value) value.Value {
	switch {
	case v.IsObject():
		b := value.NewBuilder(v.Len())
		for _, m := range v.Members() {
			if _, isNumber := m.Value.Num(); Secret(m.Key) && !isNumber && !m.Value.IsNil() && m.Value.Kind() != value.Bool {
				b.Add(m.Key, value.Of(secret.Redacted))
				continue
			}
			b.Add(m.Key, Redact(m.Value))
		}
		return b.Build()
	case v.IsArray():
		items := make([]value.Value, v.Len())
		for i, it := range v.Items() {
			items[i] = Redact(it)
		}
		return value.OfItems(items)
	}
	return v
}

// Secret reports whether a name is that of a secret, however it is spelled: "Authorization", "X-Api-Key", "clientSecret".
func Secret(name string) bool {
	plain := strings.Map(func(r rune) rune {
		if r == '-' || r == '_' || r == '.' || r == ' ' {
			return -1
		}
		return r
	}, strings.ToLower(name))
	for _, part := range []string{"authorization", "password", "passwd", "passphrase", "secret", "token", "cookie", "apikey", "accesskey", "privatekey", "credential"} {
		if strings.Contains(plain, part) {
			return true
		}
	}
	return false
}
