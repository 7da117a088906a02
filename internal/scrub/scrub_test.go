package scrub

import (
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/leak"
	"github.com/sre-go/sre/secret"
	"github.com/sre-go/sre/value"
)

func TestMain(m *testing.M) { os.Exit(leak.Run(m)) }

const canary = `canary"51c0+ffee/77aa`

func cleaner() *Cleaner {
	return New([]Known{{"db", secret.New(canary)}, {"short", secret.New("ab")}, {"longer", secret.New(canary + "-and-more")}})
}

func TestValue(t *testing.T) {
	t.Parallel()
	doc := value.Obj(
		value.M("url", value.Of("https://x.test/"+canary+"?q={{KEY(other)}}")),
		value.M("prompt", value.Of("use "+canary+"-and-more, not "+canary)),
		value.M("code", value.Of("f('"+canary+"')")),
		value.M("nested", value.Of(value.Obj(value.M("deep", value.Of(value.Of(canary).JSON()))).JSON())),
		value.M("list", value.OfItems([]value.Value{value.Of(base64.StdEncoding.EncodeToString([]byte("x" + canary))), value.Of(hex.EncodeToString([]byte(canary))), value.Of(url.QueryEscape(canary))})),
		value.M("at/"+canary, value.OfInt(1)),
		value.M("fields", value.OfItems([]value.Value{value.Obj(value.M("name", value.Of("password")), value.M("value", value.Of("hunter22")))})),
		value.M("clientSecret", value.Of("aB3dE5fG")),
		value.M("kept", value.Of("ab, {{KEY(db)}} and the token of a book")), value.M("n", value.OfInt(7)), value.M("no", value.Value{}),
	)
	c := cleaner()
	got, removed := c.Value(doc, func(path []string) bool { return path[0] == "url" || path[0] == "prompt" })
	text := got.JSON()
	for _, want := range []string{
		`"url":"https://x.test/{{KEY(db)}}?q={{KEY(other)}}"`, `"prompt":"use {{KEY(longer)}}, not {{KEY(db)}}"`, `"code":"f('REMOVED-db')"`,
		`"value":"REMOVED"`, `"clientSecret":"REMOVED"`, `"kept":"ab, {{KEY(db)}} and the token of a book"`, `"n":7`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the cleaned value %s does not have %s", text, want)
		}
	}
	if err := c.Check("x", []byte(text)); err != nil {
		t.Errorf("what was cleaned is %s: %v", text, err)
	}
	refs := 0
	for _, r := range removed {
		if strings.Contains(r.Pointer+r.What, "51c0") || r.Pointer == "" {
			t.Errorf("the report has %+v", r)
		}
		if r.Ref {
			refs++
		}
	}
	if len(removed) != 11 || refs != 3 {
		t.Errorf("%d were removed, %d for a reference, want 11 and 3: %+v", len(removed), refs, removed)
	}
	again, more := c.Value(got, func([]string) bool { return true })
	if again.JSON() != text || len(more) > 0 {
		t.Errorf("cleaning again removes %+v", more)
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	c := cleaner()
	for name, text := range map[string]string{
		"plain": "a " + canary, "escaped": value.Of(canary).JSON(), "base64": base64.StdEncoding.EncodeToString([]byte("xyz" + canary + "z")), "a shape": "AKIAIOSFODNN7EXAMPLE",
	} {
		if err := c.Check("agents/a.smyth", []byte(text)); !fault.Is(err, fault.Denied) || !strings.Contains(err.Error(), "agents/a.smyth") || strings.Contains(err.Error(), "51c0") || strings.Contains(err.Error(), "AKIA") {
			t.Errorf("%s: Check = %v, want it refused without the secret", name, err)
		}
	}
	if err := New(nil).Check("x", []byte("nothing")); err != nil {
		t.Errorf("Check of nothing = %v", err)
	}
	if text, removed := c.Text("log of " + canary + " and Bearer abc123def456ghi"); strings.Contains(text, "51c0") || strings.Contains(text, "abc123") || len(removed) != 2 {
		t.Errorf("Text = %q, %+v", text, removed)
	}
}
