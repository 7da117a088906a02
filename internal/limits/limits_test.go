package limits

import (
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/sre-go/sre/value"
)

func TestDefaultHasEveryLimit(t *testing.T) {
	t.Parallel()
	v := reflect.ValueOf(Default())
	for i := range v.NumField() {
		if v.Field(i).IsZero() {
			t.Errorf("Default().%s = 0, want a limit", v.Type().Field(i).Name)
		}
	}
}

// Each field is listed once, in the order of the struct, under the name that its constant gives.
func TestListFollowsTheStruct(t *testing.T) {
	t.Parallel()
	typ := reflect.TypeFor[Limits]()
	list := Default().List()
	if got, want := len(list), typ.NumField(); got != want {
		t.Fatalf("List has %d entries, want %d, one for each field", got, want)
	}
	shape := regexp.MustCompile(`^[a-z]+(_[a-z]+)*$`)
	for i, e := range list {
		field := typ.Field(i).Name
		if got, want := strings.ReplaceAll(e.Name, "_", ""), strings.ToLower(field); got != want {
			t.Errorf("entry %d is %q, want the name of field %s", i, e.Name, field)
		}
		if !shape.MatchString(e.Name) {
			t.Errorf("name %q does not match %s", e.Name, shape)
		}
		if !strings.HasSuffix(e.Meaning, ".") {
			t.Errorf("meaning of %s = %q, want a sentence", e.Name, e.Meaning)
		}
	}
}

// A limit that is changed shows in the list, each in its own entry only.
func TestListShowsValues(t *testing.T) {
	t.Parallel()
	before := Default().List()
	for i := range before {
		l := Default()
		f := reflect.ValueOf(&l).Elem().Field(i)
		f.SetInt(f.Int() + 1)
		for j, e := range l.List() {
			if changed := e.Value != before[j].Value; changed != (i == j) {
				t.Errorf("with field %d raised, entry %s = %q, was %q", i, e.Name, e.Value, before[j].Value)
			}
		}
	}
}

func TestListUnits(t *testing.T) {
	t.Parallel()
	l := Limits{JSONBytes: 10 * mib, ToolResultBytes: 3 * kib, LogLineBytes: 17, HeaderTime: 90 * time.Second, Steps: 12}
	want := map[string]string{JSONBytes: "10 MiB", ToolResultBytes: "3 KiB", LogLineBytes: "17 B", SmythBytes: "0 B", HeaderTime: "1m30s", Steps: "12"}
	for _, e := range l.List() {
		if w, ok := want[e.Name]; ok && e.Value != w {
			t.Errorf("%s = %q, want %q", e.Name, e.Value, w)
		}
	}
}

// The decoder of package value lies below this one and has its own copy of three defaults.
func TestDecoderAgrees(t *testing.T) {
	t.Parallel()
	l := Default()
	got, want := value.DefaultLimits(), value.Limits{Bytes: l.JSONBytes, Depth: l.JSONDepth, Values: l.JSONValues}
	if got != want {
		t.Errorf("value.DefaultLimits() = %+v, want %+v", got, want)
	}
}
