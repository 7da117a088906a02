package conformance

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/value"
)

var update = flag.Bool("update", false, "write docs/differences.md anew")

func TestPage_IsUpToDate(t *testing.T) {
	t.Parallel()
	table, err := Differences()
	if err != nil {
		t.Fatal(err)
	}
	want, err := Page(table, recorded(t))
	if err != nil {
		t.Fatal(err)
	}
	const file = "../../" + PagePath
	if *update {
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("%s is stale: run go test ./internal/conformance -run TestPage -update", PagePath)
	}
}

// Every difference belongs to a quirk of the reference or is there for safety, and its reason is a sentence.
func TestDifferences_HaveReasons(t *testing.T) {
	t.Parallel()
	table, err := Differences()
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range table {
		if !strings.HasSuffix(d.Reason, ".") || len(d.Reason) < 30 {
			t.Errorf("%s: reason %q is not a sentence", d.Case, d.Reason)
		}
	}
}

func TestPage_Refuses(t *testing.T) {
	t.Parallel()
	cases := []*Case{{Name: "a/b", Expected: value.Obj(value.M("responses", value.List(value.OfInt(1))))}}
	set := func(pointer string, to value.Value) []value.Member { return []value.Member{value.M(pointer, to)} }
	for name, d := range map[string]Difference{
		"unknown case": {Case: "a/c", Set: set("/responses/0", value.OfInt(2))},
		"no place":     {Case: "a/b", Set: set("/responses/7/x", value.OfInt(2))},
		"no change":    {Case: "a/b", Set: set("/responses/0", value.OfInt(1))},
	} {
		if _, err := Page([]Difference{d}, cases); !fault.Is(err, fault.Invalid) {
			t.Errorf("Page() with %s: error = %v, want one of kind %v", name, err, fault.Invalid)
		}
	}
	page, err := Page([]Difference{{Case: "a/b", Reason: "Because.", Set: set("/responses/0", value.Of("x|`y"))}}, cases)
	if want := "## a/b\n\nBecause.\n\n| where | reference | here |\n|---|---|---|\n| `/responses/0` | `1` | ``\"x\\|`y\"`` |\n"; err != nil || !strings.HasSuffix(page, want) {
		t.Errorf("Page() = %q, %v; want it to end in %q", page, err, want)
	}
}
