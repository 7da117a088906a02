package schema

import (
	"strings"
	"testing"

	"github.com/sre-go/sre/fault"
)

func TestCheck(t *testing.T) {
	t.Parallel()
	o := For[sample]()
	tests := []struct{ name, text, want string }{
		{"right", `{"name":"Ada"}`, ""},
		{"missing", `{}`, `"Name, full" is required`},
		{"null", `{"name":null}`, `"Name, full" must be a string`},
		{"null that may be", `{"name":"Ada","note":null,"extra":null,"maybe":null}`, ""},
		{"unknown names are for editors", `{"name":"Ada","x":1}`, ""},
		{"empty", `{"name":""}`, `"Name, full" is not allowed to be empty`},
		{"empty that may be", `{"name":"Ada","note":""}`, ""},
		{"short", `{"name":"A"}`, `"Name, full" length must be at least 2 characters long`},
		{"long", `{"name":"Augusta"}`, `"Name, full" length must be less than or equal to 5 characters long`},
		{"length in UTF-16 units", `{"name":"😀😀😀"}`, `"Name, full" length must be less than or equal to 5 characters long`},
		{"not among", `{"name":"Ada","mode":"warp"}`, `"mode" must be one of [fast, slow]`},
		{"among, but another type", `{"name":"Ada","mode":["fast"]}`, `"mode" must be one of [fast, slow]`},
		{"pattern", `{"name":"Ada","path":"a b"}`, `"path" with value "a b" fails to match the required pattern: /^[a-zA-Z0-9_]+([-_][a-zA-Z0-9_]+)*$/`},
		{"pattern with a line break", `{"name":"Ada","path":"a\n"}`, `"path" with value "a\n" fails to match the required pattern: /^[a-zA-Z0-9_]+([-_][a-zA-Z0-9_]+)*$/`},
		{"number as text", `{"name":"Ada","count":" 5 "}`, ""},
		{"no number", `{"name":"Ada","count":"five"}`, `"count" must be a number`},
		{"empty number", `{"name":"Ada","count":""}`, `"count" must be a number`},
		{"NaN", `{"name":"Ada","ratio":"NaN"}`, `"Ratio" must be a number`},
		{"broken", `{"name":"Ada","count":1.5}`, `"count" must be an integer`},
		{"integer by rule", `{"name":"Ada","whole":1.5}`, `"whole" must be an integer`},
		{"small", `{"name":"Ada","ratio":0.25}`, `"Ratio" must be greater than or equal to 0.5`},
		{"large", `{"name":"Ada","count":11}`, `"count" must be less than or equal to 10`},
		{"infinite", `{"name":"Ada","count":1e999}`, `"count" must be less than or equal to 10`},
		{"boolean as text", `{"name":"Ada","on":"False"}`, ""},
		{"no boolean", `{"name":"Ada","on":1}`, `"on" must be a boolean`},
		{"no list", `{"name":"Ada","tags":"a"}`, `"tags" must be an array`},
		{"no object", `{"name":"Ada","inner":[]}`, `"inner" must be of type object`},
		{"nested", `{"name":"Ada","inner":{}}`, `"Host" is required`},
		{"several, in order", `{"count":0,"name":""}`, `"Name, full" is not allowed to be empty|"count" must be greater than or equal to 1`},
	}
	for _, test := range tests {
		var got []string
		for _, v := range o.Check(parse(t, test.text)) {
			got = append(got, v.Message)
		}
		if strings.Join(got, "|") != test.want {
			t.Errorf("%s: Check(%s) = %q, want %q", test.name, test.text, strings.Join(got, "|"), test.want)
		}
	}
}

func TestCheckStrict(t *testing.T) {
	t.Parallel()
	o := For[sample]()
	tests := []struct{ name, text, want string }{
		{"right", `{"name":"Ada","inner":{"host":"h"}}`, ""},
		{"misspelt", `{"name":"Ada","coutn":1}`, `unknown setting "coutn"; did you mean "count"?`},
		{"another case", `{"name":"Ada","Mode":"fast"}`, `unknown setting "Mode"; did you mean "mode"?`},
		{"nested", `{"name":"Ada","inner":{"host":"h","prot":1}}`, `inner: unknown setting "prot"; did you mean "port"?`},
		{"nested rule", `{"name":"Ada","inner":{"port":1}}`, `inner: "Host" is required`},
		{"rule", `{"name":"A"}`, `length must be at least 2`},
		{"no object", `[1]`, "settings must be an object, not array"},
		{"nothing", `null`, `"Name, full" is required`},
	}
	for _, test := range tests {
		err := o.CheckStrict(parse(t, test.text))
		switch {
		case test.want == "" && err != nil:
			t.Errorf("%s: CheckStrict(%s): %v", test.name, test.text, err)
		case test.want == "":
		case err == nil || !strings.Contains(err.Error(), test.want):
			t.Errorf("%s: CheckStrict(%s) = %v, want %q in it", test.name, test.text, err, test.want)
		case !fault.Is(err, fault.Invalid):
			t.Errorf("%s: kind %v, want %v", test.name, fault.KindOf(err), fault.Invalid)
		}
	}
}

// TestT26_SecretNotInMessages: what a check says of a secret does not show it.
func TestT26_SecretNotInMessages(t *testing.T) {
	t.Parallel()
	o := For[sample]()
	for _, text := range []string{`{"name":"Ada","key":["hush"]}`, `{"name":"Ada","key":{"a":"hush"}}`, `{"name":"Ada","kee":"hush"}`} {
		err := o.CheckStrict(parse(t, text))
		if err == nil || strings.Contains(err.Error(), "hush") {
			t.Errorf("CheckStrict(%s) = %v, want an error without the secret", text, err)
		}
	}
}

func TestNearest(t *testing.T) {
	t.Parallel()
	known := []string{"model", "temperature", "maxTokens", "id"}
	tests := []struct{ name, want string }{
		{"model", "model"}, {"MODEL", "model"}, {"modle", "model"}, {"temprature", "temperature"}, {"max_tokens", "maxTokens"},
		{"ID", "id"}, {"zz", ""}, {"completely different", ""}, {"", ""},
	}
	for _, test := range tests {
		if got := Nearest(test.name, known); got != test.want {
			t.Errorf("Nearest(%q) = %q, want %q", test.name, got, test.want)
		}
	}
	if got := Nearest("x", nil); got != "" {
		t.Errorf("Nearest among none = %q", got)
	}
}

func TestUnknownName(t *testing.T) {
	t.Parallel()
	many := strings.Split(strings.Repeat("longname ", 21), " ")
	tests := []struct {
		name  string
		known []string
		want  string
	}{
		{"modle", []string{"model"}, `unknown setting "modle"; did you mean "model"?`},
		{"zzz", nil, `unknown setting "zzz"; there are none`},
		{"zzz", []string{"model", "id"}, `unknown setting "zzz"; known are model, id`},
		{"zzz", many, `unknown setting "zzz"`},
	}
	for _, test := range tests {
		if got := UnknownName("setting", test.name, test.known).Error(); got != test.want {
			t.Errorf("UnknownName(%q) = %q, want %q", test.name, got, test.want)
		}
	}
}
