package cli_test

import (
	"os"
	"strings"
	"testing"

	"github.com/sre-go/sre/value"
)

func words(text string) []string { return strings.Fields(text) }

// shownToken makes a token and returns it with its id.
func (d *desk) shownToken(t *testing.T, args string) (token, id string) {
	t.Helper()
	out := d.want(t, "", 0, words("token create --json "+args))
	v, err := value.Parse(out)
	if err != nil {
		t.Fatal(err)
	}
	return v.GetString("token"), v.GetString("id")
}

// From no token to a revoked one, without any configuration.
func TestToken_Life(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.want(t, "", 0, words("token list"), "has no tokens", "sre token create")
	if entries, err := os.ReadDir(d.dir); err != nil || len(entries) != 0 {
		t.Errorf("looking left %v, %v behind", entries, err)
	}
	out := d.want(t, "", 0, words("token create --name ci --agent hello --agent bye --expires 30d"),
		"token    sre_", "team     default", "scopes   run", "agents   bye, hello", "only this once", "curl http://127.0.0.1:5050/agents -H")
	if strings.Count(out, "sre_") != 1 {
		t.Errorf("the token is shown more than once:\n%s", out)
	}
	token, id := d.shownToken(t, "--scope run,debug --expires never")
	file := d.read(t, ".smyth/tokens.json")
	if strings.Contains(file, token[12:]) || !strings.Contains(file, id) {
		t.Errorf("tokens.json = %s\nwant the id and no token", file)
	}
	info, err := os.Stat(d.dir + "/.smyth/tokens.json")
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode = %v, %v, want 0600", info.Mode(), err)
	}
	list := d.want(t, "", 0, words("token list"), "ID", "ci", "bye, hello", "run,debug", "all of the team", "never", "good")
	if strings.Contains(list, token[12:]) || strings.Index(list, "ci") > strings.Index(list, id) && strings.Count(list, "\n") != 3 {
		t.Errorf("list shows\n%s", list)
	}
	d.want(t, "", 0, words("token list --json"), `"id":"`+id+`","begins":"sre_`+id+`..."`, `"user":null`, `"agents":["bye","hello"]`, `"expires":null`, `"state":"good"`)
	d.want(t, "", 0, words("token revoke sre_"+id+"..."), "revoked "+id+" of team default")
	d.want(t, "", 0, words("token list"), "revoked")
	other, otherID := d.shownToken(t, "")
	d.want(t, "", 0, []string{"token", "revoke", other, "--json"}, `{"revoked":["`+otherID+`"],"team":"default"}`)
	d.want(t, "", 0, words("__complete token create --scope x"), "run", "debug", "admin")
	if got := d.want(t, "", 0, []string{"__complete", "token", "revoke", ""}); strings.Contains(got, id) || strings.Count(got, "\tci") != 1 {
		t.Errorf("completion offers\n%s\nwant the token that is not revoked", got)
	}
}

func TestToken_Refusals(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	for args, tt := range map[string]struct {
		code  int
		texts []string
	}{
		"token create --scope rum":          {2, []string{`did you mean "run"?`}},
		"token create --expires 30":         {2, []string{"30d"}},
		"token create --expires tomorrow":   {2, []string{"30d"}},
		"token create --expires 0d":         {2, nil},
		"token create --expires -1d":        {2, nil},
		"token create --expires 99999999d":  {2, []string{"hundred years"}},
		"token create --expires 2001-01-01": {3, []string{"expired already"}},
		"token create --agent a_b":          {3, []string{"alphanumeric"}},
		"token create --user a_b":           {3, []string{"alphanumeric"}},
		"token create --team a_b":           {2, []string{"alphanumeric"}},
		"token create x":                    {2, []string{"no arguments"}},
		"token revoke":                      {2, []string{"ids of tokens"}},
		"token revoke ???":                  {2, []string{"no id"}},
		"token revoke aaaaaaaa":             {4, []string{"no such token", "sre token list"}},
		"token revok":                       {2, []string{`did you mean "revoke"?`}},
	} {
		d.want(t, "", tt.code, words(args), tt.texts...)
	}
	d.want(t, "", 2, []string{"token", "revoke", "sre_" + strings.Repeat("a", 59) + "!"}, "no id")
	d.want(t, "", 3, []string{"token", "create", "--name", "a\nb"}, "control characters")
}

// What is damaged is named, and the rest goes on.
func TestF06_TokensDamaged(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	_, one := d.shownToken(t, "--name one")
	_, two := d.shownToken(t, "--name two")
	d.want(t, "", 0, words("account verify"), "no damage")
	d.write(t, ".smyth/tokens.json", strings.Replace(d.read(t, ".smyth/tokens.json"), `"name":"one"`, `"name":"onE"`, 1))
	d.want(t, "", 1, words("account verify"), "damaged: "+one)
	list := d.want(t, "", 0, words("token list"), "damaged, and good for nothing: "+one, two)
	if strings.Contains(list, one) {
		t.Errorf("the damaged token is listed:\n%s", list)
	}
	d.want(t, "", 0, words("token revoke "+two))
	d.want(t, "", 1, words("account verify"), "damaged: "+one)
}
