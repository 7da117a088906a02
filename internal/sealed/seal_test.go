package sealed

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"

	"filippo.io/age"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/vaultfile"
	"github.com/sre-go/sre/secret"
)

const plain = `{"team-a": {"k": "canary"}}`

func generate(t testing.TB) Keys {
	t.Helper()
	k, err := Generate()
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// phrase returns a passphrase whose guesses cost nothing.
func phrase(text string) Keys { return Keys{passphrase: secret.New(text), work: 4} }

func seal(t testing.TB, k Keys, text string) []byte {
	t.Helper()
	sealed, err := k.Seal([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return sealed
}

func wantUnsafe(t *testing.T, what string, err error) {
	t.Helper()
	if fault.CodeOf(err) != vaultfile.CodeUnsafe || !fault.Is(err, fault.Invalid) {
		t.Errorf("%s: %v, want code %s", what, err, vaultfile.CodeUnsafe)
	}
	if text := fmt.Sprintf("%v %+v %#v", err, err, err); strings.Contains(text, "canary") || strings.Contains(strings.ReplaceAll(text, pairPrefix+",", ""), pairPrefix) {
		t.Errorf("%s: the error holds a secret: %s", what, text)
	}
}

func TestKeys_RoundTrip(t *testing.T) {
	t.Parallel()
	for name, k := range map[string]Keys{"pair": generate(t), "passphrase": phrase("canary phrase")} {
		for _, text := range []string{"", plain, strings.Repeat("x", 200_000)} {
			sealed := seal(t, k, text)
			if bytes.Contains(sealed, []byte("canary")) {
				t.Errorf("%s: the sealed file holds the text", name)
			}
			if got, err := k.Open(sealed); err != nil || string(got) != text {
				t.Errorf("%s: %d bytes come back as %d bytes, %v", name, len(text), len(got), err)
			}
			if again := seal(t, k, text); bytes.Equal(sealed, again) {
				t.Errorf("%s: sealed twice to the same bytes", name)
			}
			if got, err := FingerprintOf(sealed); err != nil || got != k.Fingerprint() {
				t.Errorf("%s: FingerprintOf = %q, %v, want %q", name, got, err, k.Fingerprint())
			}
		}
		again, err := Parse(k.Text())
		if err != nil || again.Fingerprint() != k.Fingerprint() {
			t.Errorf("%s: the key file reads as %v, %v, want %v", name, again, err, k)
		}
	}
}

// The program age opens what we seal, with the same key file: nobody is locked in.
func TestSeal_OpensElsewhere(t *testing.T) {
	t.Parallel()
	k := generate(t)
	ids, err := age.ParseIdentities(strings.NewReader(k.Text().Reveal()))
	if err != nil {
		t.Fatal(err)
	}
	r, err := age.Decrypt(bytes.NewReader(seal(t, k, plain)), ids...)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(r); err != nil || string(got) != plain {
		t.Errorf("age reads %q, %v, want %q", got, err, plain)
	}
}

// Every single flipped bit, every cut, and everything put behind is seen; nothing opens as something else, least of all
// as an empty vault.
func TestF06_EveryByte(t *testing.T) {
	t.Parallel()
	for name, k := range map[string]Keys{"pair": generate(t), "passphrase": phrase("canary phrase")} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sealed := seal(t, k, plain)
			opens := func(what string, text []byte) {
				t.Helper()
				if got, err := k.Open(text); err == nil || got != nil {
					t.Errorf("%s: opens as %q", what, got)
				} else {
					wantUnsafe(t, what, err)
				}
			}
			for i := range sealed {
				bits := []byte{1, 2, 4, 8, 16, 32, 64, 128, 0xff}
				if name == "passphrase" && i%3 != 0 && i > 60 {
					bits = bits[:1]
				}
				for _, bit := range bits {
					bad := bytes.Clone(sealed)
					bad[i] ^= bit
					opens(fmt.Sprintf("byte %d with %02x", i, bit), bad)
				}
				opens(fmt.Sprintf("cut at %d", i), sealed[:i])
				zeros := bytes.Clone(sealed)
				clear(zeros[i:])
				opens(fmt.Sprintf("zeros from %d", i), zeros)
			}
			opens("a byte more", append(bytes.Clone(sealed), 0))
			opens("twice", append(bytes.Clone(sealed), sealed...))
			opens("in the clear", []byte(plain))
			opens("an empty object", []byte("{}"))
		})
	}
}

// A wrong key is told from a damaged file, by name.
func TestT33_WrongKey(t *testing.T) {
	t.Parallel()
	a, b := generate(t), generate(t)
	p, q := phrase("canary phrase"), phrase("canary guess")
	tests := []struct {
		name      string
		by, given Keys
		want      []string
	}{
		{"another pair", a, b, []string{a.Fingerprint(), b.Fingerprint()}},
		{"pair for a passphrase", p, a, []string{"passphrase", a.Fingerprint()}},
		{"passphrase for a pair", a, p, []string{a.Fingerprint(), "passphrase"}},
		{"another passphrase", p, q, []string{"passphrase is wrong"}},
		{"no key", a, Keys{}, []string{"no key"}},
	}
	for _, tt := range tests {
		got, err := tt.given.Open(seal(t, tt.by, plain))
		wantUnsafe(t, tt.name, err)
		for _, want := range tt.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v, want %q in the text", tt.name, err, want)
			}
		}
		if got != nil {
			t.Errorf("%s: opens as %q", tt.name, got)
		}
	}
	if _, err := (Keys{}).Seal(nil); fault.CodeOf(err) != vaultfile.CodeUnsafe {
		t.Errorf("Seal without a key: %v, want code %s", err, vaultfile.CodeUnsafe)
	}
}

// Who knows only the public half of the key cannot put another vault in place of ours: not by age itself, not with our
// header copied, and not with the fingerprint written into it.
func TestT33_ForgedVault(t *testing.T) {
	t.Parallel()
	k := generate(t)
	public := k.pairs[0].identity.Recipient()
	ours := seal(t, k, plain)
	copied := &borrowed{}
	if _, err := age.Decrypt(bytes.NewReader(ours), copied); err == nil {
		t.Fatal("the header opens the file")
	}
	for name, to := range map[string]age.Recipient{
		"age itself": public, "fingerprint alone": forged{public, k.Fingerprint(), nil}, "proof of another file": forged{public, k.Fingerprint(), copied.proof},
	} {
		var out bytes.Buffer
		w, err := age.Encrypt(&out, to)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, `{"team-a": {"k": "forged"}}`); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		got, err := k.Open(out.Bytes())
		if got != nil {
			t.Errorf("%s: opens as %q", name, got)
		}
		wantUnsafe(t, name, err)
	}
}

type forged struct {
	public      *age.X25519Recipient
	fingerprint string
	proof       []byte
}

func (f forged) Wrap(key []byte) ([]*age.Stanza, error) {
	s, err := f.public.Wrap(key)
	return append(s, &age.Stanza{Type: stanza, Args: []string{f.fingerprint}, Body: f.proof}), err
}

type borrowed struct{ proof []byte }

func (b *borrowed) Unwrap(s []*age.Stanza) ([]byte, error) {
	_, b.proof = sealer(s)
	return nil, age.ErrIncorrectIdentity
}

// What is no key is refused without showing it.
func TestParse(t *testing.T) {
	t.Parallel()
	k := generate(t)
	line := k.pairs[0].identity.String()
	for name, text := range map[string]string{
		"empty": "", "blank": " \n\t", "two lines": "canary\nphrase", "NUL": "can\x00ary", "cut": line[:len(line)-1], "changed": line[:30] + "Q" + line[31:] + "Q",
		"comment alone": "# " + line, "key and text": line + "\ncanary", "lower case": pairPrefix + strings.ToLower(line[len(pairPrefix):]),
	} {
		got, err := Parse(secret.New(text))
		wantUnsafe(t, name, err)
		if !got.IsZero() {
			t.Errorf("%s: reads as %v", name, got)
		}
	}
	for name, text := range map[string]string{"bare": line, "with comments": "# x\r\n\r\n" + line + "\r\n# y"} {
		if got, err := Parse(secret.New(text)); err != nil || got.Fingerprint() != k.Fingerprint() {
			t.Errorf("%s: %v, %v, want %v", name, got, err, k)
		}
	}
	for name, text := range map[string]string{"short": "eleven char", "key": line, "empty": ""} {
		if _, err := Passphrase(secret.New(text)); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s as a passphrase: %v, want kind %v", name, err, fault.Invalid)
		}
	}
	if got, err := Passphrase(secret.New("canary phrase\n")); err != nil || !got.IsPassphrase() {
		t.Errorf("Passphrase = %v, %v", got, err)
	}
}

func TestKeys_DoNotPrint(t *testing.T) {
	t.Parallel()
	k := generate(t)
	for _, k := range []Keys{k, phrase("canary phrase"), k.with(generate(t))} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x"} {
			if got := fmt.Sprintf(verb, k); strings.Contains(got, pairPrefix) || strings.Contains(got, "canary") {
				t.Errorf("%s prints %s", verb, got)
			}
		}
	}
}

// FuzzOpen: no file panics, and none opens that was not sealed.
func FuzzOpen(f *testing.F) {
	k, p := generate(f), phrase("canary phrase")
	f.Add(seal(f, k, plain))
	f.Add(seal(f, p, plain))
	f.Add([]byte(plain))
	f.Add([]byte("age-encryption.org/v1\n-> sre-vault x\n\n--- \n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		for _, k := range []Keys{k, p} {
			if got, err := k.Open(text); err == nil && string(got) != plain {
				t.Fatalf("%q opens as %q", text, got)
			}
		}
		_, _ = FingerprintOf(text)
	})
}
