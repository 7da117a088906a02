package ramvec

import (
	"fmt"
	"strings"
	"testing"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/subsystem/io/vectordb"
	"github.com/sre-go/sre/value"
)

func opened(t testing.TB, settings ...value.Member) *store {
	t.Helper()
	conn, err := Definition().Open(t.Context(), connector.Env{}, value.Obj(settings...))
	if err != nil {
		t.Fatal(err)
	}
	return conn.(*store)
}

func granted[L access.Level](t testing.TB) access.Grant[L] {
	t.Helper()
	c, err := access.Agent("a1")
	if err != nil {
		t.Fatal(err)
	}
	g, err := access.Authorize[L](t.Context(), nil, "test", c, vectordb.Address{Owner: c, Namespace: "n"}.String(), access.OwnedBy(c))
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// No more is kept than the budget allows, in all, and what was deleted makes room.
func TestBudget(t *testing.T) {
	t.Parallel()
	s := opened(t, value.M("maxBytes", value.OfInt(100_000)))
	ctx, g := t.Context(), granted[access.Write](t)
	if err := s.CreateNamespace(ctx, g, vectordb.Namespace{Name: "n", Generation: "g", Dimensions: 4}); err != nil {
		t.Fatal(err)
	}
	put := func(id string, length int) error {
		return s.Put(ctx, g, "g", vectordb.Source{ID: id, Text: strings.Repeat("x", length)}, []vectordb.Chunk{{ID: id + "_1", Text: "x", Vector: make([]float32, 4)}})
	}
	n := 0
	for ; n < 1000 && put(fmt.Sprint(n), 5000) == nil; n++ {
	}
	if n < 10 || n > 20 {
		t.Errorf("%d texts of 5,000 bytes fit into 100,000", n)
	}
	err := put("one more", 5000)
	if !fault.Is(err, fault.Limit) || !strings.Contains(err.Error(), "maxBytes") || !strings.Contains(err.Error(), "100000") {
		t.Errorf("Put over the budget = %v, want an error that names the setting", err)
	}
	if err := put("0", 4000); err != nil {
		t.Errorf("Put of less in place of more = %v", err)
	}
	err = nil
	for i := 1; i < n && err == nil; i++ {
		err = put(fmt.Sprint(i), 6000)
	}
	if !fault.Is(err, fault.Limit) {
		t.Errorf("replacing all with more = %v, want it over the limit", err)
	}
	if err := s.DeleteSource(ctx, g, "3"); err != nil {
		t.Fatal(err)
	}
	if err := put("again", 4000); err != nil {
		t.Errorf("Put after a deletion = %v", err)
	}
	if err := s.DeleteNamespace(ctx, g); err != nil || s.used != 0 || len(s.owners) != 0 {
		t.Errorf("after all is deleted %d bytes are counted (%v)", s.used, err)
	}
}
