package cli_test

import (
	"archive/zip"
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sre-go/sre/value"
)

// planted is a secret with the forms in which it is written.
type planted struct {
	secret string
	vault  bool
}

// plant makes 60 secrets that the vault knows, of any look, and 40 that it does not know, in the shapes that secrets have.
func plant() []planted {
	var all []planted
	for i := range 60 {
		all = append(all, planted{fmt.Sprintf(`canary-%02d/é"<%c>`, i, 'a'+rune(i%26)), true})
	}
	for i := range 10 {
		n := fmt.Sprintf("%02d", i)
		all = append(all, planted{"sk-proj-Abc" + n + "dEf456GhI789jKl", false}, planted{"AKIAIOSFODNN7EXAM" + n[1:] + "LE", false}, planted{"ghp_0123456789abcdefghij01" + n, false}, planted{"hunter" + n + "Secret", false})
	}
	return all
}

// document writes an agent with the secrets in every kind of field. refs are references that have to stay.
func document(all []planted) (doc value.Value, refs []string) {
	var comps []value.Value
	text := func(parts ...string) value.Value { return value.Of(strings.Join(parts, "")) }
	add := func(typ string, data ...value.Member) {
		id := fmt.Sprintf("C%d", len(comps))
		refs = append(refs, id)
		comps = append(comps, value.Obj(value.M("id", value.Of(id)), value.M("name", value.Of(typ)), value.M("title", value.Of(id)), value.M("data", value.Obj(data...)),
			value.M("inputs", value.OfItems(nil)), value.M("outputs", value.OfItems([]value.Value{value.Obj(value.M("name", value.Of("Output")), value.M("default", value.OfBool(true)))}))))
	}
	variables := value.NewBuilder(8)
	for i, p := range all {
		s := p.secret
		if !p.vault && strings.HasPrefix(s, "hunter") { // known by what it is called
			switch i % 3 {
			case 0:
				add("Note", value.M("description", text("postgres://app:", s, "@db.test/x?sslmode=require")))
			case 1:
				add("APICall", value.M("method", value.Of("GET")), value.M("url", text("https://api.test/{{path}}?api_key=", s, "&page=2")), value.M("headers", text(`{"Cookie":"sess=`, s, `; theme=dark"}`)))
			default:
				add("Note", value.M("fields", value.OfItems([]value.Value{value.Obj(value.M("name", value.Of("password")), value.M("value", value.Of(s)))})))
			}
			continue
		}
		switch i % 10 {
		case 0:
			add("APICall", value.M("method", value.Of("POST")), value.M("url", value.Of("https://api.test/a")), value.M("headers", text(`{"Authorization":"Bearer {{KEY(kept`, fmt.Sprint(i), `)}}","X-Custom":`, value.Of(s).JSON(), `}`)))
			refs = append(refs, fmt.Sprintf("{{KEY(kept%d)}}", i))
		case 1:
			add("APICall", value.M("method", value.Of("POST")), value.M("url", text("https://api.test/b?q=", s)), value.M("contentType", value.Of("application/json")), value.M("body", text(`{"deep":`, value.Of(value.Obj(value.M("er", value.Of(s))).JSON()).JSON(), `}`)))
		case 2:
			add("LLMPrompt", value.M("prompt", text("Remember ", s, " for {{name}}")), value.M("model", value.Of("Echo")))
			refs = append(refs, "for {{name}}")
		case 3:
			variables.Set(fmt.Sprint("v", i), value.Of(s))
		case 4:
			add("Note", value.M("code_body", text("const x = '", s, "'; return x + 1;")))
			refs = append(refs, "return x + 1;")
		case 5:
			add("Note", value.M("description", text("dsn ", url.QueryEscape(s))))
		case 6:
			add("Note", value.M("description", text(base64.StdEncoding.EncodeToString([]byte("pre"+s+"post")))))
			if !p.vault { // a shape that is encoded is seen by nobody: it is written plainly, too
				comps[len(comps)-1] = comps[len(comps)-1].With("data", value.Obj(value.M("description", text("plain ", s))))
			}
		case 7:
			if p.vault {
				add("Note", value.M("description", value.Of(hex.EncodeToString([]byte(s)))))
			} else {
				add("Note", value.M("description", text("one more: ", s)))
			}
		case 8:
			add("Note", value.M("list", value.OfItems([]value.Value{value.Of(s), value.Obj(value.M("default", value.Of(s)))})))
		default:
			add("Note", value.M("in a name "+s, value.OfInt(1)))
		}
	}
	doc = value.Obj(value.M("id", value.Of("planted")), value.M("version", value.Of("1.0.0")), value.M("name", value.Of("Planted")), value.M("behavior", value.Of("You keep "+all[0].secret)),
		value.M("components", value.OfItems(comps)), value.M("connections", value.OfItems(nil)), value.M("variables", variables.Build()))
	return doc, refs
}

// unzip returns the files of a zip.
func unzip(t *testing.T, data []byte) map[string]string {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		out[f.Name] = string(text)
	}
	return out
}

// wantNone checks that no form of a planted secret is in a text.
func wantNone(t *testing.T, where, text string, all []planted) {
	t.Helper()
	for _, p := range all {
		quoted := value.Of(p.secret).JSON()
		forms := []string{p.secret, quoted[1 : len(quoted)-1], url.QueryEscape(p.secret), hex.EncodeToString([]byte(p.secret))}
		if p.vault {
			core := base64.StdEncoding.EncodeToString([]byte("pre" + p.secret + "post"))
			forms = append(forms, core, core[4:len(core)-8], value.Of(quoted).JSON())
		}
		for _, form := range forms {
			if strings.Contains(text, form) {
				t.Errorf("%s holds %q, a form of a planted secret", where, form)
			}
		}
	}
}

// A hundred secrets in every kind of field, in every form: none of them is in what leaves, and what is no secret is there as it
// was.
func TestT32_Exports(t *testing.T) {
	t.Parallel()
	all := plant()
	d := newDesk(t)
	vault := value.NewBuilder(len(all))
	for i, p := range all {
		if p.vault {
			vault.Set(fmt.Sprintf("K%02d", i), value.Of(p.secret))
		}
	}
	d.write(t, ".smyth/vault.json", value.Obj(value.M("default", vault.Build())).JSON())
	doc, refs := document(all)
	d.write(t, "agents/planted.smyth", doc.JSON())
	d.write(t, "agents/hello.smyth", example(t, "hello"))
	if code, out, errs := d.sre("", "export", "agents", "--out", "out/agents.zip"); code != 0 {
		t.Fatalf("export ends with %d: %s%s", code, out, errs)
	} else {
		wantNone(t, "what export says", out+errs, all)
	}
	data := d.read(t, "out/agents.zip")
	wantNone(t, "the zip", data, all)
	files := unzip(t, []byte(data))
	for name, text := range files {
		wantNone(t, name, text, all)
	}
	for _, ref := range refs {
		if text := files["agents/planted.smyth"]; !strings.Contains(text, ref) && !strings.Contains(text, strings.ReplaceAll(value.Of(ref).JSON(), `"`, "")) {
			t.Errorf("%q is not in what was packed", ref)
		}
	}
	hello, err := value.Parse(files["agents/hello.smyth"])
	if err != nil || !value.Equal(hello, parsed(t, example(t, "hello"))) {
		t.Errorf("an agent without secrets has changed (%v)", err)
	}
	if entries, err := os.ReadDir(filepath.Join(d.dir, "out")); err != nil || len(entries) != 1 {
		t.Errorf("beside the zip there is %v (%v)", entries, err)
	}
	if info, err := os.Stat(filepath.Join(d.dir, "out/agents.zip")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the zip has mode %v (%v), want 0600", info.Mode(), err)
	}

	code, out, errs := d.sre("", "import", "out/agents.zip", "in")
	if code != 0 || !strings.Contains(out, "sre vault set kept0") || strings.Contains(out, "cannot be loaded") {
		t.Fatalf("import ends with %d: %s%s", code, out, errs)
	}
	for _, file := range []string{"in/planted.smyth", "in/hello.smyth"} {
		if code, out, errs := d.sre("", "validate", file); code != 0 {
			t.Errorf("validate %s ends with %d: %s%s", file, code, out, errs)
		}
	}
	_, before, _ := d.sre("", "describe", "agents/planted.smyth", "--json")
	_, after, _ := d.sre("", "describe", "in/planted.smyth", "--json")
	was, is := parsed(t, before).Get("reach"), parsed(t, after).Get("reach")
	for _, what := range []string{"hosts", "agents", "components", "models"} {
		if was.Get(what).JSON() != is.Get(what).JSON() {
			t.Errorf("after the import it reaches the %s %s, before %s", what, is.Get(what).JSON(), was.Get(what).JSON())
		}
	}
	keys := is.Get("keys").JSON()
	for _, key := range []string{"K01", "K02", "K03", "kept0", "kept10"} {
		if !strings.Contains(keys, `"`+key+`"`) {
			t.Errorf("after the import it names the keys %s, without %s", keys, key)
		}
	}
	if code, _, errs := d.sre("", "import", "out/agents.zip", "in"); code == 0 || !strings.Contains(errs, "--replace") {
		t.Errorf("import over files ends with %d: %s", code, errs)
	}
	if code, _, errs := d.sre("", "import", "out/agents.zip", "in", "--replace"); code != 0 {
		t.Errorf("import with --replace ends with %d: %s", code, errs)
	}
}

// What goes to who helps holds no secret: neither one of the vault nor one that stands in the configuration or the log.
func TestT32_SupportBundle(t *testing.T) {
	t.Parallel()
	all := plant()
	d := newDesk(t)
	vault, settings := value.NewBuilder(len(all)), value.NewBuilder(4)
	var log []string
	for i, p := range all {
		if p.vault {
			vault.Set(fmt.Sprintf("K%02d", i), value.Of(p.secret))
		}
		log = append(log, value.Obj(value.M("time", value.Of("t")), value.M("data", value.Of("Authorization: Bearer "+p.secret)), value.M("password", value.Of(p.secret))).JSON())
	}
	settings.Set("X-Token", value.Of(all[7].secret)).Set("X-Other", value.Of(all[61].secret)).Set("Password", value.Of("hunter00Secret"))
	d.write(t, ".smyth/vault.json", value.Obj(value.M("default", vault.Build())).JSON())
	d.write(t, ".smyth/logs/agents-20260101T000000.000000000.jsonl", strings.Join(log, "\n")+"\n")
	d.write(t, ".smyth/config.json", value.Obj(
		value.M("services", value.Obj(value.M("Log", value.Obj(value.M("Connector", value.Of("FileLog")))))),
		value.M("mcp", value.Obj(value.M("servers", value.Obj(value.M("tools", value.Obj(value.M("url", value.Of("https://tools.test/mcp")), value.M("headers", settings.Build()), value.M("teams", value.Strings([]string{"*"})))))))),
	).JSON())
	code, out, errs := d.sre("", "doctor", "--bundle", "support.zip")
	if code != 0 || !strings.Contains(out, "wrote support.zip") {
		t.Fatalf("doctor ends with %d: %s%s", code, out, errs)
	}
	data := d.read(t, "support.zip")
	wantNone(t, "the zip", data, all)
	files := unzip(t, []byte(data))
	for name, text := range files {
		wantNone(t, name, text, all)
	}
	for name, part := range map[string]string{
		"doctor.json": "data folder", "machine.json": `"version": "v1"`, "configuration.json": "https://tools.test/mcp", "keys.json": "K59", "audit.json": "vault.get", "log.jsonl": `"time":"t"`,
	} {
		if !strings.Contains(files[name], part) {
			t.Errorf("%s is %.300q, want %q in it", name, files[name], part)
		}
	}
	if code, _, errs := d.sre("", "import", "support.zip", "in"); code == 0 || !strings.Contains(errs, "holds no agents") {
		t.Errorf("import of a support bundle ends with %d: %s", code, errs)
	}
}

func TestExport_Refuses(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.write(t, "hello.smyth", example(t, "hello"))
	d.write(t, "empty/readme.txt", "x")
	d.write(t, "no.zip", "no zip")
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"export", "hello.smyth"}, "--out"},
		{[]string{"export", "none.smyth", "--out", "x.zip"}, "none.smyth"},
		{[]string{"export", "empty", "--out", "x.zip"}, "no agent file"},
		{[]string{"import", "no.zip", "in"}, "sre export"},
		{[]string{"import", "none.zip", "in"}, "none.zip"},
	} {
		if code, out, errs := d.sre("", test.args...); code == 0 || !strings.Contains(errs, test.want) {
			t.Errorf("sre %s ends with %d: %s%s, want %q", strings.Join(test.args, " "), code, out, errs, test.want)
		}
	}
	if _, err := os.Stat(filepath.Join(d.dir, "x.zip")); err == nil {
		t.Error("what was refused is written")
	}
	code, out, errs := d.sre("", "export", "hello.smyth", "-o", "x.zip", "--json")
	if code != 0 || parsed(t, out).Get("agents").At(0).GetString("name") != "agents/hello.smyth" {
		t.Errorf("export --json ends with %d: %s%s", code, out, errs)
	}
}

func example(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile("../../examples/" + name + ".smyth")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func parsed(t *testing.T, text string) value.Value {
	t.Helper()
	v, err := value.Parse(text)
	if err != nil {
		t.Fatalf("%v: %.200s", err, text)
	}
	return v
}
