package infer

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/sre-go/sre/value"
)

// TestConvert_Recorded runs what the reference answered for every declared type.
func TestConvert_Recorded(t *testing.T) {
	t.Parallel()
	cases, err := filepath.Glob("../conformance/testdata/cases/kernel/infer-*")
	if err != nil || len(cases) == 0 {
		t.Fatalf("Glob() = %d cases, %v; want the recorded cases", len(cases), err)
	}
	for _, dir := range cases {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			t.Parallel()
			given, want := load(t, dir, "case.json").Get("ops").Items(), load(t, dir, "expected.json").Get("results").Items()
			for i, op := range given {
				in := op.Get("inputs").Get("v")
				var got value.Value
				if !in.Truthy() {
					got = result(in, nil)
				} else {
					got = result(TypeOf(op.Get("config").At(0).GetString("type")).Convert(in))
				}
				if !value.Equal(got, want[i]) {
					t.Errorf("%s: got %s, want %s", op.JSON(), got.JSON(), want[i].JSON())
				}
			}
		})
	}
}

func result(v value.Value, err error) value.Value {
	if err != nil {
		return value.Obj(value.M("error", value.Of(err.Error())))
	}
	return value.Obj(value.M("value", value.Obj(value.M("v", v))))
}

func load(t *testing.T, dir, name string) value.Value {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	v, err := value.Parse(string(text))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func FuzzConvert(f *testing.F) {
	for _, s := range []string{"", "12abc", "0x1f", "-Infinity", "2024-13-45", "Dec 25, 1995 10:00 PM +0200", "[1,", "{'a':1}", "TRUE"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for typ := Any; typ <= Video; typ++ {
			v, err := typ.Convert(value.Of(s))
			if err == nil && v.IsAbsent() {
				t.Errorf("type %d: Convert(%q) gave nothing", typ, s)
			}
		}
	})
}
