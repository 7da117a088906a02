package cli

import (
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	t.Parallel()
	for args, want := range map[string]string{
		"":                                  `{}`,
		"--name value":                      `{"name":"value"}`,
		"--post a=1 b=\"two\" c=":           `{"post":{"a":"1","b":"two","c":""}}`,
		"--flag --name value":               `{"name":"value"}`,
		"stray --name value more":           `{"name":"value"}`,
		"--name a --name b":                 `{"name":"b"}`,
		"--endpoint go --post k=v --flag x": `{"endpoint":"go","post":{"k":"v"},"flag":"x"}`,
		"-- x":                              `{}`,
		"--k a=b=c":                         `{"k":{"a":"b=c"}}`,
		"--k =v":                            `{"k":"=v"}`,
	} {
		if got := Parse(strings.Fields(args)).JSON(); got != want {
			t.Errorf("Parse(%s) = %s, want %s", args, got, want)
		}
	}
	if got := Parse([]string{"--a", "1", "--b", "2"}, "b").JSON(); got != `{"b":"2"}` {
		t.Errorf("Parse() of one flag = %s, want b alone", got)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("--name value --post k=v")
	f.Add("-- --= a=")
	f.Fuzz(func(t *testing.T, line string) {
		for _, m := range Parse(strings.Split(line, " ")).Members() {
			if m.Key == "" || m.Value.IsAbsent() {
				t.Errorf("Parse(%q) gave the flag %q without a name or value", line, m.Key)
			}
		}
	})
}
