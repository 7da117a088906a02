package cli_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/sre-go/sre/bundle/std"
	"github.com/sre-go/sre/internal/cli"
	"github.com/sre-go/sre/secret"
	"github.com/sre-go/sre/value"
)

// desk is a working folder in which commands are run one after the other.
type desk struct {
	dir     string
	env     map[string]string
	answers []string // of whoever sits at the terminal; nil for nobody
}

func newDesk(t *testing.T) *desk { return &desk{dir: t.TempDir(), env: map[string]string{}} }

func (d *desk) write(t *testing.T, name, text string) {
	t.Helper()
	path := filepath.Join(d.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func (d *desk) read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(d.dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// sre runs a command with a text on its standard input.
func (d *desk) sre(in string, args ...string) (code int, out, errs string) {
	var o, e bytes.Buffer
	m := cli.Machine{
		In: strings.NewReader(in), Out: &o, Err: &e, Work: d.dir, Version: "v1", BuildInfo: "test",
		Getenv: func(name string) string { return d.env[name] },
	}
	if d.answers != nil {
		m.Ask = func(context.Context, string) (secret.Value, error) {
			if len(d.answers) == 0 {
				return secret.Value{}, errors.New("nobody answers")
			}
			answer := d.answers[0]
			d.answers = d.answers[1:]
			return secret.New(answer), nil
		}
	}
	code = cli.Main(context.Background(), std.Set(), m, args)
	return code, o.String(), e.String()
}

// want fails unless a command ends with a code and prints or reports texts.
func (d *desk) want(t *testing.T, in string, code int, args []string, texts ...string) string {
	t.Helper()
	got, out, errs := d.sre(in, args...)
	if got != code {
		t.Errorf("sre %q: exit code %d, want %d\n%s%s", args, got, code, out, errs)
	}
	for _, text := range texts {
		if !strings.Contains(out+errs, text) {
			t.Errorf("sre %q printed\n%s%s\nwant it to hold %q", args, out, errs, text)
		}
	}
	return out
}

func vaultArgs(args ...string) []string { return append([]string{"vault"}, args...) }

// From no vault at all to a vault in the clear, an encrypted one that takes it over, and another key.
func TestVault_Life(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.want(t, "", 0, vaultArgs("list"), "holds no keys")
	if entries, err := os.ReadDir(d.dir); err != nil || len(entries) != 0 {
		t.Errorf("looking left %v, %v behind", entries, err)
	}
	d.want(t, "canary-1\n", 0, vaultArgs("set", "openai", "--host", "api.openai.com", "--host", "*.azure.test"), "stored openai", "api.openai.com, *.azure.test")
	d.want(t, "canary-2\r\n", 0, vaultArgs("set", "weather"), "hosts: any")
	d.want(t, "canary-3", 0, vaultArgs("set", "weather", "--team", "red", "--json"), `{"name":"weather","team":"red","hosts":null,"replaced":false}`)
	d.want(t, "", 0, vaultArgs("list", "--json"), `[{"name":"openai","hosts":["api.openai.com","*.azure.test"]},{"name":"weather","hosts":null}]`)
	if text := d.read(t, ".smyth/vault.json"); !strings.Contains(text, "canary-3") {
		t.Errorf("vault.json holds %s, want the secrets", text)
	}

	d.want(t, "", 0, vaultArgs("init"), "vault.age", "vault.key", "fingerprint", "Back up", "sre vault import")
	d.want(t, "", 0, vaultArgs("list"), "holds no keys")
	d.want(t, "", 9, vaultArgs("init"), "there already")
	d.want(t, "", 0, vaultArgs("import", ".smyth/vault.json"), "keys taken over: 3", "delete it")
	if text := d.read(t, ".smyth/vault.age"); strings.Contains(text, "canary") || strings.Contains(text, "openai") {
		t.Error("the encrypted vault shows what it holds")
	}
	d.want(t, "", 0, vaultArgs("list"), "NAME", "openai", "api.openai.com, *.azure.test", "weather")
	d.want(t, "", 0, vaultArgs("get", "weather", "--team", "red", "--reveal"), "canary-3\n")
	d.want(t, "", 0, vaultArgs("get", "weather", "--reveal", "--json"), `{"name":"weather","hosts":null,"value":"canary-2"}`)

	old := d.read(t, ".smyth/vault.key")
	d.want(t, "", 0, vaultArgs("rotate"), "fingerprint", "was")
	if d.read(t, ".smyth/vault.key") == old {
		t.Error("the key file is the old one")
	}
	d.want(t, "", 0, vaultArgs("get", "openai", "--reveal"), "canary-1\n")

	d.want(t, "canary-4", 0, vaultArgs("set", "openai"), "replaced openai", "api.openai.com, *.azure.test")
	d.want(t, "canary-4", 0, vaultArgs("set", "openai", "--any-host"), "hosts: any")
	d.want(t, "", 0, vaultArgs("delete", "openai"), "deleted openai")
	d.want(t, "", 4, vaultArgs("delete", "openai"), "holds no key")
	d.want(t, "", 0, []string{"doctor"}, "Vault/EncryptedFileVault")
}

// No command shows a secret that was not asked for, and none takes one from the command line.
func TestT33_SecretsStayUnseen(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.want(t, "canary-1", 0, vaultArgs("set", "openai", "--host", "api.openai.com"))
	d.write(t, "bad.env", "A=ok\ncanary line\n")
	d.write(t, "quotes.env", "A='canary\n")
	d.write(t, "broken.json", `{"default": {"k": "canary`)
	for _, args := range [][]string{
		vaultArgs("list"), vaultArgs("list", "--json"), vaultArgs("get", "openai"), vaultArgs("get", "openai", "--json"), vaultArgs("get", "opena"),
		vaultArgs("import", "bad.env"), vaultArgs("import", "quotes.env"), vaultArgs("import", "broken.json"), vaultArgs("set", "k=canary"),
		vaultArgs("set", "k", "canary"), vaultArgs("init"), vaultArgs("import", ".smyth/vault.json"), vaultArgs("import", ".smyth/vault.json", "--json"),
		vaultArgs("import", ".smyth/vault.json", "--replace"), vaultArgs("rotate", "--json"), {"doctor"}, {"boot", "--explain"}, {"boot", "--log-level", "debug"},
	} {
		_, out, errs := d.sre("", args...)
		if strings.Contains(out+errs, "canary") || strings.Contains(out+errs, "AGE-SECRET-KEY-1") && !strings.Contains(errs, "begins with") {
			t.Errorf("sre %q shows a secret:\n%s%s", args, out, errs)
		}
		if out+errs == "" {
			t.Errorf("sre %q says nothing", args)
		}
	}
}

func TestVault_Refusals(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.want(t, "x", 0, vaultArgs("set", "openai"))
	d.write(t, "keys.env", "openai=other\nfresh=1\n")
	d.write(t, "empty.env", "# nothing\nA=\n")
	d.write(t, "foreign.json", `{"encrypted": true, "algorithm": "x", "data": "y"}`)
	tests := []struct {
		name, in string
		args     []string
		code     int
		texts    []string
	}{
		{"unknown command", "", vaultArgs("lst"), 2, []string{`did you mean "list"`}},
		{"no name", "", vaultArgs("set"), 2, []string{"name of a key"}},
		{"secret in the arguments", "", vaultArgs("set", "k", "v"), 2, []string{"standard input"}},
		{"name and secret", "", vaultArgs("set", "k=v"), 2, []string{"name alone"}},
		{"no host", "x", vaultArgs("set", "k", "--host", "https://a.test"), 2, []string{"no host"}},
		{"both hosts", "x", vaultArgs("set", "k", "--host", "a.test", "--any-host"), 2, []string{"exclude"}},
		{"empty secret", "\n", vaultArgs("set", "k"), 3, []string{"empty", "delete"}},
		{"too long", strings.Repeat("x", 70_000), vaultArgs("set", "k"), 3, []string{"at most"}},
		{"no text", "\xff\xfe", vaultArgs("set", "k"), 3, []string{"UTF-8"}},
		{"no team", "x", vaultArgs("set", "k", "--team", "a b"), 2, []string{"--team"}},
		{"unknown key", "", vaultArgs("get", "openia"), 4, []string{`did you mean "openai"`}},
		{"key of another team", "", vaultArgs("get", "openai", "--team", "red"), 4, []string{"unknown key"}},
		{"unknown key to delete", "", vaultArgs("delete", "nope"), 4, []string{"nope"}},
		{"no key to rotate", "", vaultArgs("rotate"), 10, []string{"sre vault init"}},
		{"taken key", "", vaultArgs("import", "keys.env"), 9, []string{"default/openai", "--replace"}},
		{"nothing to import", "", vaultArgs("import", "empty.env"), 4, []string{"no secrets"}},
		{"no file to import", "", vaultArgs("import", "no.env"), 4, []string{"no.env"}},
		{"encrypted elsewhere", "", vaultArgs("import", "foreign.json"), 10, []string{"another tool"}},
		{"error as JSON", "", vaultArgs("get", "openia", "--json"), 4, []string{`"code":"NOT_FOUND"`}},
		{"help", "", vaultArgs("set", "--help"), 0, []string{"Examples:", "never given on the command line"}},
		{"all commands", "", vaultArgs(), 0, []string{"init", "rotate", "import", "delete"}},
	}
	for _, tt := range tests {
		d.want(t, tt.in, tt.code, tt.args, tt.texts...)
	}
	d.want(t, "", 0, vaultArgs("list", "--json"), `[{"name":"openai","hosts":null}]`+"\n")
	d.want(t, "", 0, vaultArgs("get", "openai", "--reveal"), "x\n")
}

func TestVault_Import(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.write(t, "keys.env", "\ufeff# keys\r\nexport A=\"two\\nlines\" # first\nB = 'as $it \\n is'\n\nC=bare value # comment\nD=\n")
	d.want(t, "", 0, vaultArgs("import", "keys.env", "--team", "red", "--json"),
		`{"imported":[{"team":"red","name":"A","hosts":null},{"team":"red","name":"B","hosts":null},{"team":"red","name":"C","hosts":null}],"skipped":1}`)
	for key, want := range map[string]string{"A": "two\nlines\n", "B": "as $it \\n is\n", "C": "bare value\n"} {
		if got := d.want(t, "", 0, vaultArgs("get", key, "--team", "red", "--reveal")); got != want {
			t.Errorf("%s = %q, want %q", key, got, want)
		}
	}
	d.want(t, "old", 0, vaultArgs("set", "kept", "--host", "a.test"))
	d.write(t, "other.json", `{"default": {"kept": "new", "bound": {"value": "b", "hosts": ["b.test"]}, "n": 1, "e": ""}, "blue": {"x": "y"}}`)
	d.want(t, "", 0, vaultArgs("import", "other.json", "--team", "default", "--replace"), "keys taken over: 2", "no text: 2")
	d.want(t, "", 0, vaultArgs("list", "--json"), `[{"name":"kept","hosts":["a.test"]},{"name":"bound","hosts":["b.test"]}]`)
	d.want(t, "", 0, vaultArgs("list", "--team", "blue"), "no keys")
	d.want(t, "", 0, vaultArgs("get", "kept", "--reveal"), "new\n")
}

// What was not made by us, cannot be opened, or may be read by others does not start, and is left as it is.
func TestT33_Start(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(t *testing.T, d *desk){
		"key lost": func(t *testing.T, d *desk) {
			if err := os.Remove(filepath.Join(d.dir, ".smyth/vault.key")); err != nil {
				t.Fatal(err)
			}
		},
		"vault lost": func(t *testing.T, d *desk) {
			if err := os.Remove(filepath.Join(d.dir, ".smyth/vault.age")); err != nil {
				t.Fatal(err)
			}
		},
		"vault cut": func(t *testing.T, d *desk) {
			text := d.read(t, ".smyth/vault.age")
			d.write(t, ".smyth/vault.age", text[:len(text)-1])
		},
		"another key": func(t *testing.T, d *desk) {
			other := newDesk(t)
			other.want(t, "", 0, vaultArgs("init"))
			d.write(t, ".smyth/vault.key", other.read(t, ".smyth/vault.key"))
		},
		"key for others": func(t *testing.T, d *desk) {
			if err := os.Chmod(filepath.Join(d.dir, ".smyth/vault.key"), 0o644); err != nil {
				t.Fatal(err)
			}
		},
		"vault for others": func(t *testing.T, d *desk) {
			if err := os.Chmod(filepath.Join(d.dir, ".smyth/vault.age"), 0o604); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			d.want(t, "", 0, vaultArgs("init"))
			d.want(t, "canary", 0, vaultArgs("set", "k"))
			spoil(t, d)
			before := d.files(t)
			for _, args := range [][]string{{"doctor"}, {"boot"}, vaultArgs("list"), vaultArgs("set", "k"), vaultArgs("rotate"), vaultArgs("import", "x.env")} {
				d.write(t, "x.env", "A=1\n")
				code, out, errs := d.sre("x", append(args, "--json")...)
				if code == 0 || !strings.Contains(errs, "CONFIG_UNSAFE") || strings.Contains(out+errs, "canary") {
					t.Errorf("sre %q: exit code %d, want another than 0 and CONFIG_UNSAFE\n%s%s", args, code, out, errs)
				}
			}
			if after := d.files(t); after != before {
				t.Errorf("the data folder became\n%swant\n%s", after, before)
			}
		})
	}
}

// files is what the data folder holds, but for locks.
func (d *desk) files(t *testing.T) string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(d.dir, ".smyth"))
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, e := range entries {
		if e.IsDir() || strings.HasSuffix(e.Name(), ".lock") {
			continue
		}
		info, err := e.Info()
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "%s %v %x\n", e.Name(), info.Mode(), d.read(t, filepath.Join(".smyth", e.Name())))
	}
	return b.String()
}

// A passphrase comes from whoever sits at the terminal, from standard input, or from the environment.
func TestVault_Passphrase(t *testing.T) {
	t.Parallel()
	const first = "five random words are fine"
	d := newDesk(t)
	d.answers = []string{first, "mistyped mistyped"}
	d.want(t, "", 2, vaultArgs("init", "--passphrase"), "not the same")
	d.answers = []string{"short"}
	d.want(t, "", 3, vaultArgs("init", "--passphrase"), "too short")
	d.answers = []string{first, first}
	d.want(t, "", 0, vaultArgs("init", "--passphrase"), "SRE_VAULT_KEY")
	d.answers = []string{first, "canary"}
	d.want(t, "", 0, vaultArgs("set", "k"), "stored k")
	d.answers = []string{"something else altogether"}
	d.want(t, "", 3, vaultArgs("get", "k", "--reveal"), "passphrase is wrong")
	d.answers = nil
	d.want(t, "", 3, vaultArgs("list"), "SRE_VAULT_KEY")
	d.env["SRE_VAULT_KEY"] = first
	d.want(t, "an even newer passphrase\n", 0, vaultArgs("rotate"), "change the variable")
	d.env["SRE_VAULT_KEY"] = "an even newer passphrase"
	d.want(t, "", 0, vaultArgs("get", "k", "--reveal"), "canary\n")
}

// A vault elsewhere is used once the configuration names it, and rotated where it lies.
func TestVault_Elsewhere(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	keys := filepath.Join(d.dir, "keys", "mine.key")
	out := d.want(t, "", 0, vaultArgs("init", "--file", "deep/mine.age", "--key-file", keys), "config.json", "EncryptedFileVault")
	var snippet string
	for _, line := range strings.Split(out, "\n") {
		if strings.HasPrefix(line, "{") {
			snippet = line
		}
	}
	if _, err := value.Parse(snippet); err != nil {
		t.Fatalf("the configuration %q: %v", snippet, err)
	}
	d.want(t, "x", 0, vaultArgs("set", "k"))
	if text := d.read(t, ".smyth/vault.json"); !strings.Contains(text, `"k"`) {
		t.Errorf("a vault that is not configured was used: %s", text)
	}
	d.write(t, ".smyth/config.json", snippet)
	d.want(t, "", 0, vaultArgs("list"), "no keys")
	d.want(t, "y", 0, vaultArgs("set", "k"))
	before := d.read(t, "keys/mine.key")
	d.want(t, "", 0, vaultArgs("rotate", "--json"), `"keyFile":"`+keys)
	d.want(t, "", 0, vaultArgs("get", "k", "--reveal"), "y\n")
	d.env["SRE_VAULT_KEY"] = d.read(t, "keys/mine.key")
	d.want(t, "", 10, vaultArgs("rotate"), "nowhere to go")
	if d.read(t, "keys/mine.key") == before {
		t.Error("the key was not changed")
	}
}

// Several programs at once lose nothing of each other.
func TestVault_ManyAtOnce(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.want(t, "", 0, vaultArgs("init"))
	var wg sync.WaitGroup
	const programs = 8
	for i := range programs {
		wg.Go(func() {
			if code, out, errs := d.sre("x", vaultArgs("set", fmt.Sprint("k", i))...); code != 0 {
				t.Errorf("exit code %d\n%s%s", code, out, errs)
			}
		})
	}
	wg.Wait()
	out := d.want(t, "", 0, vaultArgs("list", "--json"))
	if list, err := value.Parse(out); err != nil || list.Len() != programs {
		t.Errorf("%s, %v, want %d keys", out, err, programs)
	}
}

func TestVault_Completion(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.want(t, "x", 0, vaultArgs("set", "openai"))
	d.want(t, "x", 0, vaultArgs("set", "weather", "--team", "red"))
	for _, command := range []string{"get", "set", "delete"} {
		if out := d.want(t, "", 0, []string{"__complete", "vault", command, ""}); !strings.HasPrefix(out, "openai\n:4") {
			t.Errorf("completion of %s: %q, want openai", command, out)
		}
		if out := d.want(t, "", 0, []string{"__complete", "vault", command, "--team", "red", ""}); !strings.HasPrefix(out, "weather\n") {
			t.Errorf("completion of %s of team red: %q, want weather", command, out)
		}
	}
	d.want(t, "", 0, vaultArgs("init"))
	key := d.read(t, ".smyth/vault.key")
	if err := os.Remove(filepath.Join(d.dir, ".smyth/vault.key")); err != nil {
		t.Fatal(err)
	}
	d.answers = []string{key} // asked for once, although it is needed twice
	d.want(t, "", 10, vaultArgs("rotate"), "nowhere to go")
	d.answers = []string{"asked"}
	d.sre("", "__complete", "vault", "get", "")
	if len(d.answers) != 1 {
		t.Error("completion asks for the passphrase")
	}
}
