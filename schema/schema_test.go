package schema

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/sre-go/sre/secret"
	"github.com/sre-go/sre/value"
)

// sample has one setting of each kind that a settings struct can have.
type sample struct {
	Name    string        `json:"name" label:"Name, full" doc:"Who it is." sre:"required,min=2,max=5"`
	Note    string        `json:"note" sre:"allowEmpty,null,template"`
	Mode    string        `json:"mode" default:"fast" sre:"enum=fast|slow"`
	Path    string        `json:"path" sre:"pattern=endpoint"`
	Count   int           `json:"count" sre:"min=1,max=10,default=3"`
	Ratio   float64       `json:"ratio" sre:"label=Ratio,min=0.5"`
	Whole   float64       `json:"whole" sre:"integer"`
	On      bool          `json:"on"`
	Tags    []string      `json:"tags"`
	Wait    time.Duration `json:"wait"`
	Key     secret.Value  `json:"key" doc:"The key | token."`
	Extra   value.Value   `json:"extra"`
	Inner   inner         `json:"inner"`
	Maybe   *bool         `json:"maybe" sre:"null"`
	Skipped string        `json:"-"`
	hidden  string
}

type inner struct {
	Host string `json:"host" sre:"label=Host,required"`
	Port int64  `json:"port" default:"80"`
}

func parse(t testing.TB, text string) value.Value {
	t.Helper()
	v, err := value.Parse(text)
	if err != nil {
		t.Fatalf("Parse(%s): %v", text, err)
	}
	return v
}

func TestFor(t *testing.T) {
	t.Parallel()
	o := For[sample]()
	if got, want := strings.Join(o.Names(), " "), "name note mode path count ratio whole on tags wait key extra inner maybe"; got != want {
		t.Errorf("Names() = %s, want %s", got, want)
	}
	for _, test := range []struct {
		name string
		typ  Type
	}{
		{"name", Text}, {"count", Integer}, {"ratio", Number}, {"whole", Integer}, {"on", Boolean}, {"tags", List},
		{"wait", Number}, {"key", Text}, {"extra", Any}, {"inner", Map}, {"maybe", Boolean},
	} {
		f := o.Field(test.name)
		if f == nil || f.Type != test.typ {
			t.Errorf("Field(%s) = %+v, want the type %s", test.name, f, test.typ)
		}
	}
	if got := o.Field("Name"); got != nil {
		t.Errorf("Field(Name) = %+v, want none: names are exact", got)
	}
	if f := o.Field("key"); !f.Secret {
		t.Error("a secret.Value is not a secret setting")
	}
	if got := len(Object{}.Names()); got != 0 {
		t.Errorf("the zero Object has %d settings", got)
	}
}

// TestFor_WrongTags panics where a definition is built, not where an agent runs.
func TestFor_WrongTags(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, want string
		build      func() Object
	}{
		{"no struct", "is not a struct", func() Object { return For[int]() }},
		{"no name", "has no json tag", func() Object {
			return For[struct{ A string }]()
		}},
		{"unknown rule", `unknown rule "requird"`, func() Object {
			return For[struct {
				A string `json:"a" sre:"requird"`
			}]()
		}},
		{"unknown pattern", `unknown pattern "x"`, func() Object {
			return For[struct {
				A string `json:"a" sre:"pattern=x"`
			}]()
		}},
		{"bound that is no number", "invalid syntax", func() Object {
			return For[struct {
				A int `json:"a" sre:"min=x"`
			}]()
		}},
		{"impossible type", "which no setting can have", func() Object {
			return For[struct {
				A chan int `json:"a"`
			}]()
		}},
	}
	for _, test := range tests {
		if got := recovered(test.build); !strings.Contains(got, test.want) {
			t.Errorf("%s: panic %q, want %q in it", test.name, got, test.want)
		}
	}
}

func recovered(build func() Object) (text string) {
	defer func() {
		if p := recover(); p != nil {
			text = fmt.Sprint(p)
		}
	}()
	build()
	return ""
}

func TestDecode(t *testing.T) {
	t.Parallel()
	o := For[sample]()
	got, err := Decode[sample](o, parse(t, `{"name":"Ada","note":"","count":"7","ratio":" 1.5 ","on":"TRUE","tags":"a, b",
		"wait":1.5,"key":"hush","extra":{"a":[1]},"inner":{"host":"h","port":8080},"maybe":false,"whole":2,"-":"x","hidden":"x"}`))
	if err != nil {
		t.Fatal(err)
	}
	if got.Name != "Ada" || got.Mode != "fast" || got.Count != 7 || got.Ratio != 1.5 || !got.On || got.Whole != 2 || got.hidden != "" || got.Skipped != "" {
		t.Errorf("decoded %+v", got)
	}
	if want := []string{"a", "b"}; strings.Join(got.Tags, "|") != strings.Join(want, "|") {
		t.Errorf("tags %q, want %q", got.Tags, want)
	}
	if got.Wait != 1500*time.Millisecond {
		t.Errorf("wait %s, want 1.5s", got.Wait)
	}
	if got.Key.Reveal() != "hush" {
		t.Error("the secret is not the one that was given")
	}
	if want := `{"a":[1]}`; got.Extra.JSON() != want {
		t.Errorf("extra %s, want %s", got.Extra.JSON(), want)
	}
	if got.Inner != (inner{"h", 8080}) {
		t.Errorf("inner %+v", got.Inner)
	}
	if got.Maybe == nil || *got.Maybe {
		t.Errorf("maybe %v, want false", got.Maybe)
	}
}

func TestDecode_AbsentAndWrong(t *testing.T) {
	t.Parallel()
	o := For[sample]()
	tests := []struct {
		name, text string
		ok         func(sample) bool
	}{
		{"defaults", `{}`, func(s sample) bool { return s.Mode == "fast" && s.Count == 3 && s.Maybe == nil && s.Extra.IsAbsent() }},
		{"null takes the default", `{"mode":null,"count":null}`, func(s sample) bool { return s.Mode == "fast" && s.Count == 3 }},
		{"default of a nested setting that is absent", `{}`, func(s sample) bool { return s.Inner.Port == 80 }},
		{"default of a nested setting", `{"inner":{}}`, func(s sample) bool { return s.Inner.Port == 80 }},
		{"null of a pointer", `{"maybe":null}`, func(s sample) bool { return s.Maybe == nil }},
		{"null of anything", `{"extra":null}`, func(s sample) bool { return s.Extra.IsNull() }},
		{"number as text", `{"name":12.50}`, func(s sample) bool { return s.Name == "12.5" }},
		{"object as text", `{"name":{"a":1}}`, func(s sample) bool { return s.Name == `{"a":1}` }},
		{"text that is no number", `{"count":"many"}`, func(s sample) bool { return s.Count == 0 }},
		{"number that is too large", `{"count":1e300}`, func(s sample) bool { return s.Count == 0 }},
		{"object as number", `{"count":{}}`, func(s sample) bool { return s.Count == 0 }},
		{"text that is no boolean", `{"on":"yes"}`, func(s sample) bool { return !s.On }},
		{"object as list", `{"tags":{}}`, func(s sample) bool { return len(s.Tags) == 0 }},
		{"mixed list", `{"tags":["a",1,null]}`, func(s sample) bool { return strings.Join(s.Tags, "|") == "a|1|" }},
		{"number as secret", `{"key":12}`, func(s sample) bool { return s.Key.IsZero() }},
		{"text as object", `{"inner":"x"}`, func(s sample) bool { return s.Inner.Host == "" }},
		{"not an object at all", `[1]`, func(s sample) bool { return s.Mode == "fast" }},
	}
	for _, test := range tests {
		got, err := Decode[sample](o, parse(t, test.text))
		if err != nil || !test.ok(got) {
			t.Errorf("%s: Decode(%s) = %+v, %v", test.name, test.text, got, err)
		}
	}
	if _, err := Decode[inner](o, value.Obj()); err == nil {
		t.Error("Decode into the struct of another schema: no error")
	}
}

// FuzzDecode looks for settings that break the decoder or the checks, and for a field that passes its checks and is
// decoded outside its bounds.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		`{}`, `null`, `[]`, `{"name":"Ada","count":"7"}`, `{"inner":{"port":1e300},"wait":1e300}`, `{"count":1e400,"tags":",,"}`,
		`{"extra":{"a":null},"maybe":null}`, `{"count":" 5 ","ratio":"NaN"}`, `{"count":"0x5p1"}`,
	} {
		f.Add(seed)
	}
	o := For[sample]()
	f.Fuzz(func(t *testing.T, text string) {
		v, err := value.Parse(text)
		if err != nil {
			return
		}
		s, err := Decode[sample](o, v)
		if err != nil {
			t.Fatalf("Decode(%s): %v", text, err)
		}
		violations := o.Check(v)
		for _, violation := range violations {
			if o.Field(violation.Name) == nil || violation.Message == "" {
				t.Fatalf("Check(%s) names %+v", text, violation)
			}
		}
		if len(violations) == 0 && v.Has("count") && (s.Count < 1 || s.Count > 10) {
			t.Fatalf("Check(%s) finds nothing, but count is decoded as %d", text, s.Count)
		}
		if o.CheckStrict(v) == nil && len(violations) > 0 {
			t.Fatalf("Check(%s) finds %v, CheckStrict nothing", text, violations)
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	o := For[sample]()
	v := parse(b, `{"name":"Ada","count":"7","ratio":1.5,"on":true,"tags":["a","b"],"inner":{"host":"h","port":8080}}`)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Decode[sample](o, v); err != nil {
			b.Fatal(err)
		}
	}
}
