package oauth

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/secret"
)

// shelf keeps one entry.
type shelf struct {
	entry  secret.Value
	read   error
	unkept error
	faster secret.Value // what somebody else has stored between Get and Renew
}

func (s *shelf) Get(context.Context, string) (secret.Value, error) { return s.entry, s.read }

func (s *shelf) Renew(ctx context.Context, _ string, f func(context.Context, secret.Value) (secret.Value, error)) (secret.Value, error) {
	if !s.faster.IsZero() {
		s.entry = s.faster
	}
	next, err := f(ctx, s.entry)
	if err != nil || next.Reveal() == s.entry.Reveal() {
		return next, err
	}
	if s.unkept != nil {
		return next, s.unkept
	}
	s.entry = next
	return next, nil
}

func TestRenewal(t *testing.T) {
	t.Parallel()
	const ends = `{"primary":"a1","secondary":"r1","expires_in":1700000030000,"type":"oauth2"}` // half a minute after now
	down, disk := fault.Newf(fault.Unavailable, "down"), errors.New("the disk is full")
	tests := []struct {
		name   string
		shelf  shelf
		early  time.Duration
		grant  error
		gone   bool   // the caller
		bad    string // the token that was refused
		want   string
		err    error
		grants int
		unkept error
	}{
		{name: "good", shelf: shelf{entry: secret.New(ends)}, want: "a1"},
		{name: "near its end", shelf: shelf{entry: secret.New(ends)}, early: time.Minute, want: "a2", grants: 1},
		{name: "near its end, and no other to be had", shelf: shelf{entry: secret.New(ends)}, early: time.Minute, grant: down, want: "a1", grants: 1},
		{name: "near its end, and the caller gone", shelf: shelf{entry: secret.New(ends)}, early: time.Minute, grant: down, gone: true, err: down, grants: 1},
		{name: "at its end, and no other to be had", shelf: shelf{entry: secret.New(`{"primary":"a1","expires_in":1700000000000}`)}, grant: down, err: down, grants: 1},
		{name: "refused", shelf: shelf{entry: secret.New(ends)}, bad: "a1", want: "a2", grants: 1},
		{name: "refused, and no other to be had", shelf: shelf{entry: secret.New(ends)}, bad: "a1", grant: down, err: down, grants: 1},
		{name: "refused, and renewed by somebody since", shelf: shelf{entry: secret.New(ends)}, bad: "a0", want: "a1"},
		{name: "refused, and somebody was faster", shelf: shelf{entry: secret.New(ends), faster: secret.New(`{"primary":"a3"}`)}, bad: "a1", want: "a3"},
		{name: "no token", shelf: shelf{entry: secret.New(`{}`)}, want: "a2", grants: 1},
		{name: "no entry", shelf: shelf{read: fault.Newf(fault.NotFound, "none")}, err: errNone, want: ""},
		{name: "vault away", shelf: shelf{read: down}, err: down},
		{name: "somebody was faster", shelf: shelf{entry: secret.New(`{}`), faster: secret.New(`{"primary":"a3"}`)}, want: "a3"},
		{name: "broken meanwhile", shelf: shelf{entry: secret.New(`{}`), faster: secret.New(`{`)}, err: errNone},
		{name: "not kept", shelf: shelf{entry: secret.New(`{}`), unkept: disk}, want: "a2", grants: 1, unkept: disk},
		{name: "version 1", shelf: shelf{entry: secret.New(`{"primary":"a1","expires_in":1,"type":"oauth"}`)}, want: "a1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			if tt.gone {
				cancel()
			}
			grants := 0
			var unkept error
			r, err := Renewal{
				Keeper: &tt.shelf, Key: "k", Now: func() time.Time { return time.UnixMilli(1700000000000) }, Early: tt.early, Refused: secret.New(tt.bad),
				Read: func(entry secret.Value) (Record, error) {
					r, err := ParseRecord(entry)
					if err != nil {
						return r, errNone
					}
					return r, nil
				},
				Grant: func(context.Context, Record) (Tokens, error) {
					grants++
					return Tokens{Primary: secret.New("a2")}, tt.grant
				},
				Unkept: func(err error) { unkept = err },
			}.Record(ctx)
			if !errors.Is(err, tt.err) || r.Primary.Reveal() != tt.want {
				t.Errorf("token %q, %v, want %q, %v", r.Primary.Reveal(), err, tt.want, tt.err)
			}
			if grants != tt.grants || !errors.Is(unkept, tt.unkept) {
				t.Errorf("%d grants, unkept %v, want %d, %v", grants, unkept, tt.grants, tt.unkept)
			}
			if kept, err := ParseRecord(tt.shelf.entry); err == nil && tt.grants > 0 && tt.grant == nil && (kept.Primary.Reveal() == "a2") != (tt.unkept == nil) {
				t.Errorf("kept %q, want the new token unless it cannot be kept", kept.Primary.Reveal())
			}
		})
	}
}

var errNone = errors.New("no record")
