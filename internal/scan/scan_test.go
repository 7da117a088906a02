package scan

import (
	"os"
	"strings"
	"testing"

	"github.com/sre-go/sre/internal/leak"
)

func TestMain(m *testing.M) { os.Exit(leak.Run(m)) }

func TestFind(t *testing.T) {
	t.Parallel()
	scanner := New()
	const pem = "-----BEGIN RSA PRIVATE KEY-----\nMIIBOgIBAAJB\n-----END RSA PRIVATE KEY-----"
	for _, test := range []struct{ name, text, kind, secret string }{
		{"OpenAI", "use sk-proj-abc123DEF456ghi789 here", "key of a model provider", "sk-proj-abc123DEF456ghi789"},
		{"Groq", "gsk_abcdefGH1234567890", "key of a model provider", "gsk_abcdefGH1234567890"},
		{"AWS", `"AKIAIOSFODNN7EXAMPLE"`, "key of AWS", "AKIAIOSFODNN7EXAMPLE"},
		{"GitHub", "ghp_0123456789abcdefghij0123", "token of GitHub", "ghp_0123456789abcdefghij0123"},
		{"GitHub, fine", "github_pat_11ABCDEFG0abcdefghijkl", "token of GitHub", "github_pat_11ABCDEFG0abcdefghijkl"},
		{"GitLab", "glpat-abcdefghij0123456789", "token of GitLab", "glpat-abcdefghij0123456789"},
		{"Slack", "xoxb-123456789012-abcdef", "token of Slack", "xoxb-123456789012-abcdef"},
		{"Google", "AIzaSyA-1234567890abcdefghijklmnopqrs", "key of Google", "AIzaSyA-1234567890abcdefghijklmnopqrs"},
		{"this runtime", "sre_AB12CD34EF56GH78IJ90KL12MN34", "token of this runtime", "sre_AB12CD34EF56GH78IJ90KL12MN34"},
		{"age", "AGE-SECRET-KEY-1QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L", "private key", "AGE-SECRET-KEY-1QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L"},
		{"PEM", "x\n" + pem + "\ny", "private key", pem},
		{"PEM in JSON", `{"k":"` + strings.ReplaceAll(pem, "\n", `\n`) + `"}`, "private key", strings.ReplaceAll(pem, "\n", `\n`)},
		{"JWT", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl", "JSON Web Token", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"},
		{"DSN", "postgres://app:s3cr3t!@db.test:5432/x?sslmode=require", "password in an address", "s3cr3t!"},
		{"DSN without a user", "redis://:pw@cache.test/0", "password in an address", "pw"},
		{"header", "Authorization: Bearer abc123def456ghi", "authorization", "abc123def456ghi"},
		{"basic", "Authorization: Basic dXNlcjpwYXNzd29yZA==", "authorization", "dXNlcjpwYXNzd29yZA=="},
		{"query", "https://api.test/x?api_key=Zm9vYmFy1&page=2", "value of a secret name", "Zm9vYmFy1"},
		{"header of a key", `{"X-Api-Key": "Zm9vYmFy1"}`, "value of a secret name", "Zm9vYmFy1"},
		{"escaped JSON", `"{\"password\":\"hunter22\"}"`, "value of a secret name", "hunter22"},
		{"code", "const dbPassword = 'hunter22';", "value of a secret name", "hunter22"},
		{"prompt", "log in with password: hunter22 and go on", "value of a secret name", "hunter22"},
		{"cookie", "Cookie: sess=a1b2c3d4e5; theme=dark", "cookie", "a1b2c3d4e5"},
	} {
		got := scanner.Find(test.text)
		if len(got) != 1 || got[0].Kind != test.kind || test.text[got[0].Start:got[0].End] != test.secret {
			t.Errorf("%s: Find(%q) = %+v, want %s %q", test.name, test.text, got, test.kind, test.secret)
			continue
		}
		clean, found := scanner.Clean(test.text)
		if strings.Contains(clean, test.secret) || !strings.Contains(clean, Mark) || len(found) != 1 {
			t.Errorf("%s: Clean(%q) = %q", test.name, test.text, clean)
		}
		if again, more := scanner.Clean(clean); again != clean || len(more) > 0 {
			t.Errorf("%s: cleaning again makes %q of %q (%+v)", test.name, again, clean, more)
		}
	}
}

// What only looks a little like it stays: references to the vault, placeholders, names of settings, words.
func TestFind_Nothing(t *testing.T) {
	t.Parallel()
	scanner := New()
	for _, text := range []string{
		"", "Bearer {{KEY(notes-token)}}", "Authorization: Bearer {{token}}", `{"password":"{{KEY(db)}}"}`, "api_key={{KEY(x)}}&q=1", "https://user@host.test/x",
		"https://api.test:8080/path", "the token is shown once", "password: ask the operator", `{"maxTokens":1024,"topK":3}`, "basic internationalization", "a secret: nobody knows",
		`{"tokens": {"in": 10}}`, "sk-learn is a library", "token=$TOKEN", "token: <your token>", "secret=", "{{KEY(openai)}}", "smythfs://team.agent/file.txt", "mailto:a@b.test",
		`{"id":"C1","name":"APICall","data":{"oauthService":"None","method":"GET"}}`, "pk-is-a-primary-key-of-a-table",
		"postgres://app:" + Mark + "@db.test", "password=" + Mark, "Bearer " + Mark + Mark,
	} {
		if got := scanner.Find(text); len(got) > 0 {
			t.Errorf("Find(%q) = %+v, want nothing", text, got)
		}
	}
}

func TestSecret(t *testing.T) {
	t.Parallel()
	scanner := New()
	for name, want := range map[[2]string]bool{
		{"password", "hunter22"}: true, {"X-Api-Key", "Zm9vYmFy1"}: true, {"clientSecret", "aB3aB3"}: true, {"text", "hunter22"}: false,
		{"headers", `{"password":"hunter22"}`}: false, {"password", "{{KEY(x)}}"}: false, {"password", ""}: false, {"token", "the name of a token"}: false,
	} {
		if got := scanner.Secret(name[0], name[1]); got != want {
			t.Errorf("Secret(%q, %q) = %t, want %t", name[0], name[1], got, want)
		}
	}
}

// FuzzClean checks that what is found lies in the text in order, and that what was cleaned looks clean or gets cleaner.
func FuzzClean(f *testing.F) {
	scanner := New()
	f.Add("Authorization: Bearer abc123def456ghi and AKIAIOSFODNN7EXAMPLE")
	f.Add("postgres://a:b@c password=token=sk-abcdefghij0123456789")
	f.Fuzz(func(t *testing.T, text string) {
		last := 0
		for _, found := range scanner.Find(text) {
			if found.Start < last || found.End <= found.Start || found.End > len(text) {
				t.Fatalf("Find(%q) = %+v", text, found)
			}
			last = found.End
		}
		clean, found := scanner.Clean(text)
		if len(found) == 0 && clean != text {
			t.Fatalf("Clean(%q) = %q without a finding", text, clean)
		}
		for i := 0; len(found) > 0; i++ {
			if i > len(text) {
				t.Fatalf("cleaning %q never ends", text)
			}
			clean, found = scanner.Clean(clean)
		}
	})
}

func BenchmarkFind(b *testing.B) {
	scanner := New()
	text := strings.Repeat("a line of a log as it is written most of the time, without anything in it\n", 1000) + "password=hunter22"
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if len(scanner.Find(text)) != 1 {
			b.Fatal("not found")
		}
	}
}
