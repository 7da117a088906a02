package logsink

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/value"
)

func agent(t *testing.T) access.Candidate {
	t.Helper()
	c, err := access.Agent("a1")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

type broken struct{}

func (broken) Write(context.Context, access.Grant[access.Write], string, Record) (string, error) {
	return "half", fault.Newf(fault.Unavailable, "the disk is full")
}

func (broken) Count(context.Context, access.Grant[access.Write], int) error {
	return fault.Newf(fault.Unavailable, "the disk is full")
}

func TestErrors(t *testing.T) {
	t.Parallel()
	s := New(connector.Env{}, connector.Instances[Connector]{Default: "x", ByID: map[string]Connector{"x": broken{}}})
	h := s.For(agent(t))
	_, log := h.Log(t.Context(), Record{})
	for op, err := range map[string]error{"log.write": log, "log.complete": h.Complete(t.Context(), "i", Record{}), "log.count": h.CountTasks(t.Context(), 1, false)} {
		if want := op + ` (x) "agent:a1": the disk is full`; !fault.Is(err, fault.Unavailable) || err.Error() != want {
			t.Errorf("%s = %v, want UNAVAILABLE: %s", op, err, want)
		}
	}
	if got := h.Candidate(); got != agent(t) {
		t.Errorf("Candidate() = %v", got)
	}
	if other, err := s.On("x"); err != nil || other != s {
		t.Errorf("On(x) = %v, %v", other, err)
	}
}

func TestNothingConfigured(t *testing.T) {
	t.Parallel()
	var none *Service
	empty := New(connector.Env{}, connector.Instances[Connector]{})
	for name, s := range map[string]*Service{"nil": none, "empty": empty} {
		_, log := s.For(agent(t)).Log(t.Context(), Record{})
		for op, err := range map[string]error{"Log": log, "Complete": s.For(agent(t)).Complete(t.Context(), "", Record{}), "CountTasks": s.For(agent(t)).CountTasks(t.Context(), 0, false)} {
			if !fault.Is(err, fault.Unsupported) || !strings.Contains(err.Error(), "configure a connector for Log") {
				t.Errorf("%s: %s = %v, want UNSUPPORTED with a hint", name, op, err)
			}
		}
		if _, err := s.On("x"); !fault.Is(err, fault.NotFound) {
			t.Errorf("%s: On = %v, want NOT_FOUND", name, err)
		}
	}
	if err := empty.Close(t.Context()); err != nil {
		t.Errorf("Close: %v", err)
	}
}

func TestWith(t *testing.T) {
	t.Parallel()
	full := Record{
		Source: "a", Component: "b", Name: "c", Domain: "d", Step: 1, Workflow: "e", Process: "f", Session: "g", Tags: "h",
		Input: value.Of("i"), Output: value.Of("j"), Result: value.Of("k"), Error: "l", Began: time.Unix(1, 0), Ended: time.Unix(2, 0),
	}
	same := func(a, b Record) bool {
		for _, p := range [][2]*value.Value{{&a.Input, &b.Input}, {&a.Output, &b.Output}, {&a.Result, &b.Result}} {
			if p[0].JSON() != p[1].JSON() {
				return false
			}
			*p[0], *p[1] = value.Value{}, value.Value{}
		}
		return a == b
	}
	if got := full.With(Record{}); !same(got, full) {
		t.Errorf("completed by nothing it is %+v", got)
	}
	if got := (Record{}).With(full); !same(got, full) {
		t.Errorf("nothing completed is %+v, want all of it", got)
	}
	if got := full.With(Record{Error: "x"}); got.Error != "x" || got.Name != "c" {
		t.Errorf("with another error it is %+v", got)
	}
}

func TestSecret(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{
		"Authorization": true, "proxy-authorization": true, "X-Api-Key": true, "api_key": true, "apiKey": true, "client.secret": true, "Set-Cookie": true,
		"refresh_token": true, "PASSWORD": true, "user passwd": true, "awsAccessKeyId": true, "private-key": true, "credentials": true,
		"key": false, "name": false, "author": false, "": false, "keys": false, "component": false, "resource": false,
	} {
		if got := Secret(name); got != want {
			t.Errorf("Secret(%q) = %v, want %v", name, got, want)
		}
	}
}

func TestRedact(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		`{"a":1,"token":"x","b":[{"password":{"c":"x"}}]}`: `{"a":1,"token":"[REDACTED]","b":[{"password":"[REDACTED]"}]}`,
		`{"tokens":12,"token":true,"secret":null}`:         `{"tokens":12,"token":true,"secret":null}`,
		`"token"`: `"token"`, `null`: `null`, `[]`: `[]`,
	} {
		v, err := value.Parse(in)
		if err != nil {
			t.Fatal(err)
		}
		if got := Redact(v).JSON(); got != want {
			t.Errorf("Redact(%s) = %s, want %s", in, got, want)
		}
	}
	if !Redact(value.Value{}).IsAbsent() {
		t.Error("Redact of nothing is something")
	}
}
