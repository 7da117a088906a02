package secret

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"html"
	"math/rand/v2"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const awkward = "pä/ss \"w+rd\"\n<k&y>=\U0001F511\\~'x'"

func TestT29_FormsOfASecret(t *testing.T) {
	t.Parallel()
	quoted, err := json.Marshal(awkward)
	if err != nil {
		t.Fatal(err)
	}
	twice, err := json.Marshal(`{"k":` + string(quoted) + `}`)
	if err != nil {
		t.Fatal(err)
	}
	var plain bytes.Buffer
	e := json.NewEncoder(&plain)
	e.SetEscapeHTML(false)
	if err := e.Encode(map[string]string{"k": awkward}); err != nil {
		t.Fatal(err)
	}
	b := []byte("user:" + awkward)
	tests := []struct{ name, text string }{
		{"plain", awkward},
		{"JSON for HTML", string(quoted)},
		{"JSON", plain.String()},
		{"JSON for HTML in JSON", string(twice)},
		{"JSON in JSON", jsonForm{}.write(plain.String())},
		{"JSON with \\/", strings.ReplaceAll(plain.String(), "/", `\/`)},
		{"JSON of PHP", `"p\u00e4\/ss \"w+rd\"\n<k&y>=\ud83d\udd11\\~'x'"`},
		{"JSON of Python", `"p\u00e4/ss \"w+rd\"\n<k&y>=\ud83d\udd11\\~'x'"`},
		{"JSON of .NET", `"p\u00E4/ss \u0022w\u002Brd\u0022\n\u003Ck\u0026y\u003E=\uD83D\uDD11\\~\u0027x\u0027"`},
		{"JSON without short escapes", strings.Replace(plain.String(), `\n<`, `\u000a<`, 1)},
		{"Go", strconv.Quote(awkward)},
		{"query", "?a=" + url.QueryEscape(awkward)},
		{"query, small", "?a=" + strings.ToLower(url.QueryEscape(awkward))},
		{"script", "?a=" + strings.ReplaceAll(strings.ReplaceAll(url.QueryEscape(awkward), "+", "%20"), "%27", "'")},
		{"path", "/a/" + url.PathEscape(awkward)},
		{"query twice", "?to=" + url.QueryEscape("https://h.test/?k="+url.QueryEscape(awkward))},
		{"HTML", "<p>" + html.EscapeString(awkward)},
		{"base64", base64.StdEncoding.EncodeToString([]byte(awkward))},
		{"basic", "Basic " + base64.StdEncoding.EncodeToString(b)},
		{"basic in a URL", url.QueryEscape(base64.StdEncoding.EncodeToString(b))},
		{"basic in JSON", strings.ReplaceAll(base64.StdEncoding.EncodeToString(b), "/", `\/`)},
	}
	r := NewRedactor(New(awkward))
	for _, tt := range tests {
		got := r.Text(tt.text)
		if r.Count(tt.text) != 1 || strings.Count(got, Redacted) != 1 || len(strings.ReplaceAll(got, Redacted, "")) > 40 {
			t.Errorf("%s: %q became %q", tt.name, tt.text, got)
		}
	}
}

func TestRedactor_Texts(t *testing.T) {
	t.Parallel()
	r := NewRedactor(New("abcdefgh"), New("ghijklm"), New(" padded-secret\n"), New("short"), New("12345678"))
	tests := []struct{ name, text, want string }{
		{"empty", "", ""},
		{"nothing", "nothing to see here", "nothing to see here"},
		{"all of it", "abcdefgh", Redacted},
		{"in the middle", "x abcdefgh y", "x " + Redacted + " y"},
		{"beginning only", "abcdefg", "abcdefg"},
		{"end only", "bcdefgh", "bcdefgh"},
		{"overlapping", "<abcdefghijklm>", "<" + Redacted + ">"},
		{"side by side", "abcdefghabcdefgh", Redacted + Redacted},
		{"without its spaces", "[padded-secret]", "[" + Redacted + "]"},
		{"with its spaces", " padded-secret\n", " " + Redacted + "\n"},
		{"too short", "short", "short"},
		{"hexadecimal", "6162636465666768", Redacted},
		{"capital hexadecimal", "x676869 676869-6768696A6B6C6D", "x676869 676869-" + Redacted},
		{"a beginning before it", "abcabcabcdefgh", "abcabc" + Redacted},
		{"number", "pin=12345678;", "pin=" + Redacted + ";"},
	}
	for _, tt := range tests {
		if got := r.Text(tt.text); got != tt.want {
			t.Errorf("%s: Text(%q) = %q, want %q", tt.name, tt.text, got, tt.want)
		}
		if got := string(r.Bytes([]byte(tt.text))); got != tt.want {
			t.Errorf("%s: Bytes(%q) = %q, want %q", tt.name, tt.text, got, tt.want)
		}
		if got, want := r.Count(tt.text), strings.Count(tt.want, Redacted); got != want {
			t.Errorf("%s: Count(%q) = %d, want %d", tt.name, tt.text, got, want)
		}
	}
	if !r.Numeric() || NewRedactor(New("abcdefgh")).Numeric() || (*Redactor)(nil).Numeric() {
		t.Error("Numeric does not tell numbers from others")
	}
	if NewRedactor(New("short"), Value{}) != nil {
		t.Error("a redactor of nothing is not nil")
	}
	var none *Redactor
	if none.Text("abcdefgh") != "abcdefgh" || none.Count("abcdefgh") != 0 || string(none.Bytes([]byte("abcdefgh"))) != "abcdefgh" {
		t.Error("nil takes something out")
	}
}

// Texts and bytes without a secret are given back as they are.
func TestRedactor_CopiesNothing(t *testing.T) {
	r, text := sample(20), strings.Repeat("nothing to see here, ", 100)
	b := []byte(text)
	n := testing.AllocsPerRun(20, func() {
		if r.Text(text) != text || &r.Bytes(b)[0] != &b[0] {
			t.Error("a text without secrets was changed")
		}
	})
	if n != 0 {
		t.Errorf("%v allocations, want none", n)
	}
}

// A marker must not become a mark itself.
func TestRedactor_SecretsLikeTheMark(t *testing.T) {
	t.Parallel()
	r := NewRedactor(New("REDACTED"), New("abcdefgh"))
	if got := r.Text("REDACTED abcdefgh"); got != "REDACTED "+Redacted {
		t.Errorf("Text = %q", got)
	}
}

// naive finds what is to be replaced the slow way: every form at every place.
func naive(secrets []string, text string) string {
	gone := make([]bool, len(text)+1) // the byte is in a match, and so is the one before
	in := make([]bool, len(text))
	for _, s := range secrets {
		for _, f := range forms(s) {
			for i := 0; i+len(f) <= len(text); i++ {
				if text[i:i+len(f)] == f {
					for j := range len(f) {
						in[i+j], gone[i+j] = true, gone[i+j] || j > 0
					}
				}
			}
		}
	}
	var b strings.Builder
	for i := range len(text) {
		switch {
		case !in[i]:
			b.WriteByte(text[i])
		case !gone[i]:
			b.WriteString(Redacted)
		}
	}
	return b.String()
}

// drawn is a random text of few letters, so that secrets overlap and repeat.
func drawn(r *rand.Rand, letters string, least, most int) string {
	b := make([]byte, least+r.IntN(most-least+1))
	for i := range b {
		b[i] = letters[r.IntN(len(letters))]
	}
	return string(b)
}

// TestT29_NoFormSurvives: whatever is looked for and wherever it stands, nothing of it is left, and nothing else is gone.
func TestT29_NoFormSurvives(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	for round := range 120 {
		letters := []string{"ab", "abcd", "a/+\"\\", "aZ09-_ %", "ä\x00\n<&"}[round%5]
		var secrets []string
		for range 1 + r.IntN(4) {
			if s := strings.TrimSpace(drawn(r, letters, 6, 14)); len(s) >= MinLength {
				secrets = append(secrets, s)
			}
		}
		if len(secrets) == 0 {
			continue
		}
		var text strings.Builder
		for range 8 {
			text.WriteString(drawn(r, letters, 0, 9))
			all := forms(secrets[r.IntN(len(secrets))])
			form := all[r.IntN(len(all))]
			text.WriteString(form[:len(form)-r.IntN(2)*r.IntN(len(form))])
		}
		redactor, whole := redactorOf(secrets), text.String()
		want := naive(secrets, whole)
		if got := redactor.Text(whole); got != want {
			t.Fatalf("secrets %q in %q: got %q, want %q", secrets, whole, got, want)
		}
		for _, s := range secrets {
			for _, f := range forms(s) {
				if strings.Contains(strings.ReplaceAll(want, Redacted, "\x01"), f) {
					t.Fatalf("secret %q survived as %q in %q", s, f, want)
				}
			}
		}
		if got := chunked(t, redactor, whole, func() int { return r.IntN(5) }); got != want {
			t.Fatalf("secrets %q in %q: in pieces %q, want %q", secrets, whole, got, want)
		}
	}
}

// At each of the three places in a group, what base64 writes of the secret alone is gone.
func TestT29_Base64InsideOfMore(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 4))
	for range 300 {
		s := make([]byte, 6+r.IntN(40))
		for i := range s {
			s[i] = byte(33 + r.IntN(94))
		}
		redactor := NewRedactor(New(string(s)))
		for _, e := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding, base64.RawStdEncoding, base64.RawURLEncoding} {
			before := r.IntN(9)
			text := e.EncodeToString(slices.Concat(bytes.Repeat([]byte{0}, before), s, bytes.Repeat([]byte{0xff}, r.IntN(5))))
			own := text[(8*before+5)/6 : 8*(before+len(s))/6]
			if got := redactor.Text(text); strings.Contains(got, own) || !strings.Contains(got, Redacted) {
				t.Fatalf("%q behind %d bytes: %q is left in %q", s, before, own, got)
			}
		}
	}
}

// sample is the redactor of n keys like those of providers.
func sample(n int) *Redactor {
	r := rand.New(rand.NewPCG(5, 6))
	texts := make([]string, n)
	for i := range texts {
		texts[i] = "sk-" + drawn(r, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", 30, 60)
	}
	return redactorOf(texts)
}

// answers are a megabyte of what agents answer.
func answers() string {
	r := rand.New(rand.NewPCG(7, 8))
	var b strings.Builder
	for b.Len() < 1<<20 {
		b.WriteString(`{"id":"` + drawn(r, "abcdef0123456789", 24, 24) + `","text":"The quick brown fox jumps over the lazy dog, and again.","data":"` +
			drawn(r, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/", 80, 80) + `"}` + "\n")
	}
	return b.String()
}

func BenchmarkRedactor(b *testing.B) {
	text := answers()
	for _, n := range []int{1, 100} {
		r := sample(n)
		b.Run(strconv.Itoa(n)+" secrets", func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				r.Text(text)
			}
		})
	}
	b.Run("one strings.Contains", func(b *testing.B) {
		b.SetBytes(int64(len(text)))
		for b.Loop() {
			if strings.Contains(text, "sk-nothing-like-that") {
				b.Fatal("found")
			}
		}
	})
	b.Run("copy", func(b *testing.B) {
		to := make([]byte, len(text))
		b.SetBytes(int64(len(text)))
		for b.Loop() {
			copy(to, text)
		}
	})
}

func BenchmarkBuild(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		sample(100)
	}
}

func BenchmarkRegistry_For(b *testing.B) {
	var r Registry
	r.Note("a", New("secret of a"))
	r.Note("", New("of the operator"))
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if r.For("a") == nil {
				b.Error("no redactor")
			}
		}
	})
}
