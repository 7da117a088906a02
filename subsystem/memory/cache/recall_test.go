package cache

import (
	"testing"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/value"
)

// recalling is a connector that remembers a ruling.
type recalling struct {
	scripted
	last Ruling
	ok   bool
}

func (r *recalling) Recall(string) (Ruling, bool) { return r.last, r.ok }

// What is recalled is tried by, and never refuses, answers or outlives the ruling of now.
func TestT23_Recalled(t *testing.T) {
	t.Parallel()
	conn := &recalling{}
	h, denied := handle(t, conn)
	mine, others := access.OwnedBy(h.Candidate()), access.NewACL().With(access.Public(), access.RightNone)
	asked, tried := 0, []string(nil)
	now := Ruling{ACL: mine, Generation: "now"}
	conn.rule = func() (Ruling, error) {
		asked++
		if now.ACL == nil {
			return Ruling{}, Missing()
		}
		return now, nil
	}
	conn.get = func(generation string) (Entry, error) {
		tried = append(tried, generation)
		if generation != now.Generation {
			return Entry{}, Changed()
		}
		return Entry{Value: value.Of("x")}, nil
	}
	for _, c := range []struct {
		name   string
		recall Ruling
		ok     bool
		now    Ruling
		got    string
		kind   fault.Kind // of the error, when nothing is got and something refused
		asked  int
		tries  int
	}{
		{"nothing is remembered", Ruling{}, false, Ruling{mine, "now"}, "x", 0, 1, 1},
		{"the ruling of now", Ruling{mine, "now"}, true, Ruling{mine, "now"}, "x", 0, 0, 1},
		{"an old one, still allowed", Ruling{mine, "old"}, true, Ruling{mine, "now"}, "x", 0, 1, 2},
		{"an old one, now refused", Ruling{mine, "old"}, true, Ruling{others, "now"}, "", fault.Denied, 1, 1},
		{"an old one that refused", Ruling{others, "old"}, true, Ruling{mine, "now"}, "x", 0, 1, 1},
		{"refused then and now", Ruling{others, "now"}, true, Ruling{others, "now"}, "", fault.Denied, 1, 0},
		{"gone", Ruling{mine, "old"}, true, Ruling{}, "", 0, 1, 1},
	} {
		conn.last, conn.ok, now = c.recall, c.ok, c.now
		asked, tried, *denied = 0, nil, 0
		got, ok, err := h.Get(t.Context(), "k")
		if got.Plain() != c.got || ok != (c.got != "") || (err != nil) != (c.kind == fault.Denied) || err != nil && !fault.Is(err, c.kind) {
			t.Errorf("%s: Get = %s, %v, %v, want %q", c.name, got.JSON(), ok, err, c.got)
		}
		if asked != c.asked || len(tried) != c.tries || (*denied == 1) != (c.kind == fault.Denied) {
			t.Errorf("%s: %d rulings, tries %q and %d records, want %d rulings and %d tries", c.name, asked, tried, *denied, c.asked, c.tries)
		}
	}
	// The ACL itself is answered by the ruling of now.
	conn.last, conn.ok, now = Ruling{mine, "old"}, true, Ruling{access.OwnedBy(h.Candidate()).With(access.Public(), access.RightRead), "now"}
	if acl, err := h.ACL(t.Context(), "k"); err != nil || acl.Rights(access.Public()) != access.RightRead {
		t.Errorf("ACL = %v, %v, want the one of now", acl, err)
	}
}
