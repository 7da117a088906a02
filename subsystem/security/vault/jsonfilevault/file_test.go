package jsonfilevault_test

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"hash"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/secret"
	"github.com/sre-go/sre/subsystem/security/vault/jsonfilevault"
	"github.com/sre-go/sre/subsystem/security/vault/vaulttest"
	"github.com/sre-go/sre/value"
)

// An entry with hosts is a secret for these hosts alone, also when it refers to the environment.
func TestT30_HostsInTheFile(t *testing.T) {
	t.Parallel()
	s := holding("vault.json", `{
		"team-a": {"free": "f", "bound": {"value": "b", "hosts": ["api.test", "*.in.test"]}, "same": {"value": "s"}},
		"ops": {"env": {"value": "$env(OPENAI_API_KEY)", "hosts": ["api.openai.com"]}}}`, value.M("shared", value.Of("ops")))
	s.Getenv = environment(map[string]string{"OPENAI_API_KEY": "sk-env"})
	h := vaulttest.Open(t, jsonfilevault.Definition, s).As(t, "agent:helper")
	for _, tt := range []struct {
		key, text string
		hosts     []string
	}{
		{"free", "f", nil}, {"bound", "b", []string{"api.test", "*.in.test"}}, {"same", "s", nil}, {"env", "sk-env", []string{"api.openai.com"}},
	} {
		if got, err := h.Get(t.Context(), tt.key); err != nil || got.Reveal() != tt.text || !slices.Equal(got.Hosts(), tt.hosts) {
			t.Errorf("%s = %q for %q, %v, want %q for %q", tt.key, got.Reveal(), got.Hosts(), err, tt.text, tt.hosts)
		}
	}
}

// What a misspelt entry would set free is refused.
func TestT30_HostsFailClosed(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ entry, hint string }{
		"misspelt":     {`{"value": "canary", "host": ["a.test"]}`, "hosts"},
		"empty":        {`{"value": "canary", "hosts": []}`, "empty"},
		"text":         {`{"value": "canary", "hosts": "a.test"}`, "not a list"},
		"null":         {`{"value": "canary", "hosts": null}`, "not a list"},
		"number":       {`{"value": "canary", "hosts": [1]}`, "texts"},
		"URL":          {`{"value": "canary", "hosts": ["https://a.test/"]}`, "host"},
		"every host":   {`{"value": "canary", "hosts": ["*"]}`, "host"},
		"other letter": {`{"value": "canary", "hosts": ["b\u00fccher.test"]}`, "host"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			env := connector.Env{Dir: t.TempDir(), Effects: effect.System{}}
			write(t, env.Dir, "vault.json", `{"team-a": {"k": `+tt.entry+`}}`)
			_, err := jsonfilevault.Definition.Open(t.Context(), env, value.Obj())
			if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), tt.hint) || strings.Contains(err.Error(), "canary") {
				t.Errorf("Open: %v, want kind %v, %q in the text, and no secret", err, fault.Invalid, tt.hint)
			}
		})
	}
}

// A change keeps what it does not know, and the order of everything.
func TestWrite_KeepsTheRest(t *testing.T) {
	t.Parallel()
	const before = `{"z": {"b": 1, "a": {"deep": [1, null]}}, "team-a": {"note": 1.5, "k": "old", "last": "x"}}`
	var folder string
	w := vaulttest.Open(t, jsonfilevault.Definition, vaulttest.Subject{Prepare: func(t *testing.T, dir string) value.Value {
		folder = dir
		write(t, dir, "vault.json", before)
		return value.Obj()
	}})
	h := w.As(t, "team:team-a")
	if err := h.Set(t.Context(), "k", secret.New("new").For("a.test")); err != nil {
		t.Fatal(err)
	}
	if err := h.Set(t.Context(), "fresh", secret.New("f")); err != nil {
		t.Fatal(err)
	}
	if err := h.Delete(t.Context(), "last"); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(folder, "vault.json"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := value.Parse(string(text))
	const want = `{"z":{"b":1,"a":{"deep":[1,null]}},"team-a":{"note":1.5,"k":{"value":"new","hosts":["a.test"]},"fresh":"f"}}`
	if err != nil || got.JSON() != want {
		t.Errorf("the file holds\n%s, %v, want\n%s", got.JSON(), err, want)
	}
	info, err := os.Stat(filepath.Join(folder, "vault.json"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode of the file = %v, %v, want 0600", info.Mode(), err)
	}
}

// A file that others may read is used, as the reference does, and complained of.
func TestT33_ExposedFileIsReported(t *testing.T) {
	t.Parallel()
	for mode, want := range map[os.FileMode]bool{0o600: false, 0o644: true, 0o660: true} {
		var log bytes.Buffer
		env := connector.Env{Dir: t.TempDir(), Effects: effect.System{}, Log: slog.New(slog.NewTextHandler(&log, nil))}
		write(t, env.Dir, "vault.json", vaulttest.Data)
		if err := os.Chmod(filepath.Join(env.Dir, "vault.json"), mode); err != nil {
			t.Fatal(err)
		}
		if _, err := jsonfilevault.Definition.Open(t.Context(), env, value.Obj()); err != nil {
			t.Errorf("mode %o: Open: %v", mode, err)
		}
		if got := strings.Contains(log.String(), "CONFIG_UNSAFE") && strings.Contains(log.String(), "chmod 600"); got != want {
			t.Errorf("mode %o: reported = %v, want %v: %s", mode, got, want, log.String())
		}
		if strings.Contains(log.String(), vaulttest.Canary) {
			t.Errorf("mode %o: the log holds a secret: %s", mode, log.String())
		}
	}
}

// rsaFile returns a private key in PEM, and what it opens.
func rsaFile(t *testing.T, plain string, pkcs8 bool, h hash.Hash) (key, sealed string) {
	t.Helper()
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	block := &pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(k)}
	if pkcs8 {
		block.Type = "PRIVATE KEY"
		if block.Bytes, err = x509.MarshalPKCS8PrivateKey(k); err != nil {
			t.Fatal(err)
		}
	}
	text, err := rsa.EncryptOAEP(h, rand.Reader, &k.PublicKey, []byte(plain), nil)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(block)), base64.StdEncoding.EncodeToString(text)
}

// A vault that the reference encrypted can be read, and not changed.
func TestFileKey(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		pkcs8 bool
		hash  hash.Hash
	}{"PKCS1": {false, sha1.New()}, "PKCS8": {true, sha1.New()}, "SHA-256": {true, sha256.New()}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			key, sealed := rsaFile(t, `{"team-a": {"k": "v"}}`, tt.pkcs8, tt.hash)
			w := vaulttest.Open(t, jsonfilevault.Definition, vaulttest.Subject{Prepare: func(t *testing.T, dir string) value.Value {
				write(t, dir, "vault.json", sealed[:50]+"\n"+sealed[50:]+"\n")
				write(t, dir, "key.pem", key)
				return value.Obj(value.M("fileKey", value.Of("key.pem")))
			}})
			if got, err := w.As(t, "agent:helper").Get(t.Context(), "k"); err != nil || got.Reveal() != "v" {
				t.Errorf("Get = %q, %v, want v", got.Reveal(), err)
			}
			if err := w.As(t, "team:team-a").Set(t.Context(), "k", secret.New("x")); !fault.Is(err, fault.Unsupported) {
				t.Errorf("Set: %v, want kind %v", err, fault.Unsupported)
			}
		})
	}
}

// A wrong key, a damaged file and a key that is none are CONFIG_UNSAFE; nothing is opened, and the file stays.
func TestT33_FileKeyRefuses(t *testing.T) {
	t.Parallel()
	key, sealed := rsaFile(t, `{"team-a": {"k": "canary"}}`, true, sha1.New())
	wrong, _ := rsaFile(t, "x", true, sha1.New())
	for name, tt := range map[string]struct{ key, file string }{
		"wrong key": {wrong, sealed}, "no PEM": {"canary", sealed}, "another PEM": {"-----BEGIN X-----\nY2FuYXJ5\n-----END X-----\n", sealed},
		"damaged": {key, "AAAA" + sealed[4:]}, "cut off": {key, sealed[:100]}, "in the clear": {key, `{"team-a": {"k": "canary"}}`}, "empty": {key, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			env := connector.Env{Dir: t.TempDir(), Effects: effect.System{}}
			write(t, env.Dir, "vault.json", tt.file)
			write(t, env.Dir, "key.pem", tt.key)
			_, err := jsonfilevault.Definition.Open(t.Context(), env, value.Obj(value.M("fileKey", value.Of("key.pem"))))
			if fault.CodeOf(err) != "CONFIG_UNSAFE" || strings.Contains(fmt.Sprintf("%v %+v", err, err), "canary") {
				t.Errorf("Open: %v, want code CONFIG_UNSAFE and no secret", err)
			}
			if left, err := os.ReadFile(filepath.Join(env.Dir, "vault.json")); err != nil || string(left) != tt.file {
				t.Errorf("the file became %q, %v, want it untouched", left, err)
			}
		})
	}
}
