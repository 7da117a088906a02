package storage

import (
	"context"
	"errors"
	"io"
	"iter"
	"strings"
	"testing"
	"time"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/event"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/value"
)

// scripted is a connector that answers what a test says.
type scripted struct {
	rule    func() (Ruling, error)
	read    func(generation string) (*Object, error)
	write   func(generation string, r Record, body io.Reader) error
	listing []Item
}

func (s *scripted) Rule(context.Context, string) (Ruling, error) { return s.rule() }

func (s *scripted) Read(_ context.Context, _ access.Grant[access.Read], generation string, _ Range) (*Object, error) {
	return s.read(generation)
}

func (s *scripted) Stat(_ context.Context, _ access.Grant[access.Read], generation string) (Info, error) {
	return Info{}, nil
}

func (s *scripted) Write(_ context.Context, _ access.Grant[access.Write], generation string, r Record, body io.Reader) error {
	return s.write(generation, r, body)
}

func (s *scripted) Amend(context.Context, access.Grant[access.Write], string, Change) error {
	return nil
}

func (s *scripted) Delete(context.Context, access.Grant[access.Write], string) error { return nil }

func (s *scripted) SetACL(context.Context, access.Grant[access.Owner], string, *access.ACL) error {
	return nil
}

func (s *scripted) List(context.Context, access.Grant[access.Read], string) iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) {
		for _, it := range s.listing {
			if !yield(it, nil) {
				return
			}
		}
		yield(Item{}, fault.Newf(fault.Unavailable, "the disk is gone"))
	}
}

func handle(t testing.TB, conn Connector) (*Handle, *int) {
	t.Helper()
	c, err := access.Agent("agent-a")
	if err != nil {
		t.Fatal(err)
	}
	denied := new(int)
	env := connector.Env{Effects: effect.System{}, Events: &event.Bus{}}
	t.Cleanup(event.On(env.Events, func(context.Context, access.Decision) { *denied++ }))
	return New(env, connector.Instances[Connector]{Default: "x", ByID: map[string]Connector{"x": conn}}, nil).For(c), denied
}

func owned(h *Handle, generation string) Ruling {
	return Ruling{ACL: access.OwnedBy(h.Candidate()), Generation: generation}
}

// An object that is replaced between the decision and the act is decided about again, a bounded number of times.
func TestConflictIsDecidedAgain(t *testing.T) {
	t.Parallel()
	conn := &scripted{}
	h, denied := handle(t, conn)
	asked := 0
	conn.rule = func() (Ruling, error) { asked++; return owned(h, strings.Repeat("g", asked)), nil }
	conn.read = func(generation string) (*Object, error) {
		if len(generation) < 3 {
			return nil, Changed()
		}
		return &Object{Body: io.NopCloser(strings.NewReader("third"))}, nil
	}
	if got, err := h.Read(t.Context(), "x"); err != nil || string(got) != "third" || asked != 3 {
		t.Errorf("Read = %q, %v after %d decisions, want %q after 3", got, err, asked, "third")
	}

	asked = 0
	conn.read = func(string) (*Object, error) { return nil, Changed() }
	if _, err := h.Read(t.Context(), "x"); !fault.Is(err, fault.Conflict) || asked != maxTries {
		t.Errorf("Read = %v after %d decisions, want CONFLICT after %d", err, asked, maxTries)
	}

	// The new object belongs to another: the second decision refuses.
	asked = 0
	conn.rule = func() (Ruling, error) {
		if asked++; asked == 1 {
			return owned(h, "mine"), nil
		}
		return Ruling{ACL: access.NewACL(), Generation: "not mine"}, nil
	}
	if _, err := h.Read(t.Context(), "x"); !fault.Is(err, fault.Denied) || *denied != 1 {
		t.Errorf("Read = %v with %d records, want ACCESS_DENIED with one", err, *denied)
	}
}

// A body that can be read again is, from where it stood; one that cannot makes the write a conflict.
func TestWriteIsSentAgain(t *testing.T) {
	t.Parallel()
	conn := &scripted{}
	h, _ := handle(t, conn)
	conn.rule = func() (Ruling, error) { return Ruling{}, Missing() }
	tries := 0
	var got string
	conn.write = func(_ string, _ Record, body io.Reader) error {
		data, err := io.ReadAll(body)
		if err != nil {
			return err
		}
		if tries++; tries < 3 {
			return Changed()
		}
		got = string(data)
		return nil
	}
	body := strings.NewReader("skipped, sent")
	if _, err := body.Seek(9, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	if err := h.WriteFrom(t.Context(), "x", body, Options{}); err != nil || got != "sent" {
		t.Errorf("WriteFrom = %v with %q stored, want %q", err, got, "sent")
	}
	tries, got = 0, ""
	if err := h.WriteFrom(t.Context(), "x", io.MultiReader(strings.NewReader("once")), Options{}); !fault.Is(err, fault.Conflict) || got != "" {
		t.Errorf("WriteFrom = %v with %q stored, want CONFLICT and nothing", err, got)
	}
	// A connector that says so before it reads loses nothing.
	tries = 0
	conn.write = func(_ string, _ Record, body io.Reader) error {
		if tries++; tries < 3 {
			return Changed()
		}
		data, err := io.ReadAll(body)
		got = string(data)
		return err
	}
	if err := h.WriteFrom(t.Context(), "x", io.MultiReader(strings.NewReader("once")), Options{}); err != nil || got != "once" {
		t.Errorf("WriteFrom = %v with %q stored, want %q", err, got, "once")
	}
}

// An object has a largest size, for what is written and for what a connector gives.
func TestObjectLimit(t *testing.T) {
	t.Parallel()
	conn := &scripted{}
	h, _ := handle(t, conn)
	conn.rule = func() (Ruling, error) { return owned(h, "g"), nil }
	conn.write = func(_ string, _ Record, body io.Reader) error { _, err := io.Copy(io.Discard, body); return err }
	conn.read = func(string) (*Object, error) { return &Object{Body: io.NopCloser(endless{})}, nil }
	want, wantRead := "LIMIT_EXCEEDED("+LimitObjectBytes+")", "LIMIT_EXCEEDED("+LimitReadBytes+")"
	if err := h.WriteFrom(t.Context(), "x", io.LimitReader(endless{}, MaxObjectBytes), Options{}); err != nil {
		t.Errorf("WriteFrom of the largest object: %v", err)
	}
	if err := h.WriteFrom(t.Context(), "x", endless{}, Options{}); fault.CodeOf(err) != want {
		t.Errorf("WriteFrom without end = %v, want %s", err, want)
	}
	if _, err := h.Read(t.Context(), "x"); fault.CodeOf(err) != wantRead {
		t.Errorf("Read without end = %v, want %s", err, wantRead)
	}
	conn.read = func(string) (*Object, error) {
		return &Object{Info: Info{Size: MaxReadBytes + 1}, Body: io.NopCloser(broken{})}, nil
	}
	if _, err := h.Read(t.Context(), "x"); fault.CodeOf(err) != wantRead {
		t.Errorf("Read of a large object = %v, want %s without reading it", err, wantRead)
	}
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errors.New("it was read") }

type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

// An ACL that cannot be had denies, whatever the reason, or says that it could not be decided.
func TestT14_NoDecisionNoAccess(t *testing.T) {
	t.Parallel()
	conn := &scripted{}
	h, denied := handle(t, conn)
	for name, c := range map[string]struct {
		ruling Ruling
		err    error
		want   fault.Kind
	}{
		"damaged":      {Ruling{}, Damaged("bits"), fault.Denied},
		"no ACL":       {Ruling{Generation: "g"}, nil, fault.Denied},
		"empty ACL":    {Ruling{ACL: access.NewACL(), Generation: "g"}, nil, fault.Denied},
		"disk gone":    {Ruling{}, fault.Newf(fault.Unavailable, "gone"), fault.Unavailable},
		"unclassified": {Ruling{}, errors.New("what"), fault.Internal},
	} {
		*denied = 0
		conn.rule = func() (Ruling, error) { return c.ruling, c.err }
		if _, err := h.Read(t.Context(), "x"); !fault.Is(err, c.want) {
			t.Errorf("%s: Read = %v, want %v", name, err, c.want)
		}
		if got := *denied == 1; got != (c.want == fault.Denied) {
			t.Errorf("%s: %d audit records", name, *denied)
		}
	}
}

func TestListFails(t *testing.T) {
	t.Parallel()
	h, _ := handle(t, &scripted{})
	if l, err := h.List(t.Context(), "", Page{}); !fault.Is(err, fault.Unavailable) || len(l.Objects) != 0 {
		t.Errorf("List = %+v, %v, want UNAVAILABLE", l, err)
	}
}

// Without a connector everything is refused with a hint, and nothing panics.
func TestNoConnector(t *testing.T) {
	t.Parallel()
	c, err := access.Agent("agent-a")
	if err != nil {
		t.Fatal(err)
	}
	var none *Service
	empty := New(connector.Env{}, connector.Instances[Connector]{}, nil)
	for name, h := range map[string]*Handle{"nil": none.For(c), "empty": empty.For(c)} {
		ctx := t.Context()
		_, read := h.Read(ctx, "x")
		_, list := h.List(ctx, "", Page{})
		_, exists := h.Exists(ctx, "x")
		for op, err := range map[string]error{
			"read": read, "list": list, "exists": exists, "write": h.Write(ctx, "x", nil, Options{TTL: time.Second}), "delete": h.Delete(ctx, "x"),
			"expire": h.Expire(ctx, "x", time.Second), "metadata": h.SetMetadata(ctx, "x", value.Obj()), "acl": h.SetACL(ctx, "x", nil),
		} {
			if !fault.Is(err, fault.Unsupported) || !strings.Contains(err.Error(), "configure a connector for Storage") {
				t.Errorf("%s service: %s = %v, want UNSUPPORTED with a hint", name, op, err)
			}
		}
	}
	if _, err := none.On("x"); !fault.Is(err, fault.NotFound) {
		t.Errorf("On = %v, want NOT_FOUND", err)
	}
	if err := empty.Close(t.Context()); err != nil {
		t.Errorf("Close: %v", err)
	}
}

func TestOn(t *testing.T) {
	t.Parallel()
	a, b := &scripted{}, &scripted{}
	s := New(connector.Env{Effects: effect.System{}}, connector.Instances[Connector]{Default: "a", ByID: map[string]Connector{"a": a, "b": b}, Order: []string{"a", "b"}}, nil)
	other, err := s.On("b")
	if err != nil || other.conn != Connector(b) || s.conn != Connector(a) {
		t.Errorf("On(b) = %v, %v, want the second connector", other, err)
	}
	if back, err := other.On("a"); err != nil || back != s {
		t.Errorf("On(a) = %v, %v, want the first service", back, err)
	}
}

func TestTeamOfPlace(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"teams/a/x": "a", "teams/a.agent/b/x": "a", "teams/a.user/b": "a", "Teams/a/x": "a", "teams/a": "a", "teams/.b/x": "",
	} {
		if got, ok := teamOfPlace(name); !ok || got != want {
			t.Errorf("teamOfPlace(%q) = %q, %v, want %q", name, got, ok, want)
		}
	}
	for _, name := range []string{"teams", "x/teams/a", "team/a", "teamsa/x"} {
		if got, ok := teamOfPlace(name); ok {
			t.Errorf("teamOfPlace(%q) = %q, want none", name, got)
		}
	}
}

// BenchmarkGuard measures what the guard adds to a call: the names are checked and the ACL decides.
func BenchmarkGuard(b *testing.B) {
	conn := &scripted{}
	h, _ := handle(b, conn)
	ruling := owned(h, "g")
	conn.rule = func() (Ruling, error) { return ruling, nil }
	ctx := b.Context()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := h.Stat(ctx, "teams/team-a.agent/agent-a/folder/file.txt"); err != nil {
			b.Fatal(err)
		}
	}
}

func TestRange(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		r              Range
		size           int64
		offset, length int64
		ok             bool
	}{
		"whole":               {Range{}, 10, 0, 10, true},
		"whole of nothing":    {Range{}, 0, 0, 0, true},
		"middle":              {Range{3, 4}, 10, 3, 4, true},
		"rest":                {Range{3, 0}, 10, 3, 7, true},
		"beyond the end":      {Range{3, 100}, 10, 3, 7, true},
		"at the end":          {Range{10, 5}, 10, 10, 0, true},
		"behind the end":      {Range{11, 0}, 10, 0, 0, false},
		"before the start":    {Range{-1, 0}, 10, 0, 0, false},
		"less than nothing":   {Range{0, -1}, 10, 0, 0, false},
		"more than there are": {Range{5, 1<<63 - 1}, 10, 5, 5, true},
	} {
		offset, length, err := c.r.Of(c.size)
		if offset != c.offset || length != c.length || (err == nil) != c.ok || err != nil && fault.CodeOf(err) != CodeRange {
			t.Errorf("%s: Of(%d) = %d, %d, %v, want %d, %d", name, c.size, offset, length, err, c.offset, c.length)
		}
	}
}
