package oauth

import (
	"strings"
	"testing"
	"time"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/secret"
	"github.com/sre-go/sre/value"
)

const newForm = `{"auth_data":{"primary":"a1","secondary":"r1","expires_in":"1700000000000"},"auth_settings":{"type":"oauth2","service":"google","tokenURL":"https://t.test/token","clientID":"id","clientSecret":"{{KEY(cs)}}","scope":"a b","hosts":["api.test"],"name":"kept"},"more":1}`

const oldForm = `{"primary":"a1","secondary":"r1","expires_in":1700000000000,"type":"oauth","team":"red","consumerKey":"ck","oauth_info":{"oauth_keys_prefix":"p","service":"x","tokenURL":"https://t.test/token","clientID":"id","consumerKey":"other","consumerSecret":"cs"}}`

func TestParseRecord(t *testing.T) {
	t.Parallel()
	r, err := ParseRecord(secret.New(newForm))
	if err != nil {
		t.Fatal(err)
	}
	if r.Primary.Reveal() != "a1" || r.Secondary.Reveal() != "r1" || !r.Expires.Equal(time.UnixMilli(1700000000000)) || r.Type != OAuth2 || r.Service != "google" ||
		r.TokenURL != "https://t.test/token" || r.ClientID != "id" || r.ClientSecret.Reveal() != "{{KEY(cs)}}" || r.Scope != "a b" || !r.Primary.MayGoTo("api.test") || r.Primary.MayGoTo("x.test") {
		t.Errorf("new form: %+v", r)
	}
	r, err = ParseRecord(secret.New(oldForm))
	if err != nil {
		t.Fatal(err)
	}
	if r.Primary.Reveal() != "a1" || r.Type != OAuth1 || r.Service != "x" || r.TokenURL != "https://t.test/token" || r.ConsumerKey != "ck" || r.ConsumerSecret.Reveal() != "cs" || !r.Primary.MayGoTo("x.test") {
		t.Errorf("old form: %+v", r)
	}
	for name, text := range map[string]string{"no JSON": "{", "no object": "[1]", "no time": `{"primary":"x","expires_in":"soon"}`, "empty": "", "far": `{"expires_in":1e300}`} {
		if r, err := ParseRecord(secret.New(text)); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %+v, %v, want kind %v", name, r, err, fault.Invalid)
		}
	}
	for _, text := range []string{`{"primary":"x"}`, `{"primary":"x","expires_in":""}`, `{"primary":"x","expires_in":"undefined"}`, `{"primary":"x","expires_in":null}`, `{"primary":"x","expires_in":0}`} {
		if r, err := ParseRecord(secret.New(text)); err != nil || !r.Expires.IsZero() || r.ExpiredAt(time.Unix(1<<40, 0)) {
			t.Errorf("%s: expires %v, %v, want no time", text, r.Expires, err)
		}
	}
}

// A record keeps the form it was read in, and what this program does not know.
func TestRecord_WithTokens(t *testing.T) {
	t.Parallel()
	at := time.UnixMilli(1800000000000)
	tests := []struct {
		name, in string
		tokens   Tokens
		want     string
	}{
		{"new form, rotated", newForm, Tokens{Primary: secret.New("a2"), Secondary: secret.New("r2"), Expires: at}, strings.NewReplacer(`"a1"`, `"a2"`, `"r1"`, `"r2"`, "1700000000000", "1800000000000").Replace(newForm)},
		{"new form, same refresh token", newForm, Tokens{Primary: secret.New("a2"), Expires: at}, strings.NewReplacer(`"a1"`, `"a2"`, "1700000000000", "1800000000000").Replace(newForm)},
		{"new form, no end", newForm, Tokens{Primary: secret.New("a2")}, strings.NewReplacer(`"a1"`, `"a2"`, `,"expires_in":"1700000000000"`, "").Replace(newForm)},
		{"old form", oldForm, Tokens{Primary: secret.New("a2"), Expires: at}, strings.NewReplacer(`"a1"`, `"a2"`, "1700000000000", `"1800000000000"`).Replace(oldForm)},
	}
	for _, tt := range tests {
		r, err := ParseRecord(secret.New(tt.in))
		if err != nil {
			t.Fatal(err)
		}
		next := r.WithTokens(tt.tokens)
		if got := next.Entry().Reveal(); got != tt.want {
			t.Errorf("%s: entry\n%s\nwant\n%s", tt.name, got, tt.want)
		}
		again, err := ParseRecord(next.Entry())
		if err != nil || again.Primary.Reveal() != next.Primary.Reveal() || again.Secondary.Reveal() != next.Secondary.Reveal() || !again.Expires.Equal(next.Expires) {
			t.Errorf("%s: read again %+v, %v, want %+v", tt.name, again, err, next)
		}
		if r.Primary.Reveal() != "a1" || r.Entry().Reveal() != tt.in {
			t.Errorf("%s: the record itself was changed", tt.name)
		}
	}
}

func TestNewRecord(t *testing.T) {
	t.Parallel()
	r, err := NewRecord(value.Obj(value.M("type", value.Of(OAuth2))), []string{"api.test"})
	if err != nil {
		t.Fatal(err)
	}
	got := r.WithTokens(Tokens{Primary: secret.New("a")}).Entry().Reveal()
	if want := `{"auth_data":{"primary":"a"},"auth_settings":{"type":"oauth2","hosts":["api.test"]}}`; got != want {
		t.Errorf("entry %s, want %s", got, want)
	}
	for in, want := range map[[2]string]string{{"", "C"}: "OAUTH_C_TOKENS", {"None", "C"}: "OAUTH_C_TOKENS", {"mine", "C"}: "mine"} {
		if got := Key(in[0], in[1]); got != want {
			t.Errorf("Key(%q) = %q, want %q", in, got, want)
		}
	}
}

func FuzzParseRecord(f *testing.F) {
	for _, s := range []string{newForm, oldForm, "{}", `{"auth_data":1,"auth_settings":[]}`, `{"expires_in":"0x1p-2"}`, `{"auth_settings":{"hosts":[1,"a"]}}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r, err := ParseRecord(secret.New(text))
		if err != nil {
			return
		}
		next := r.WithTokens(Tokens{Primary: secret.New("p"), Expires: time.UnixMilli(5)})
		again, err := ParseRecord(next.Entry())
		if err != nil || again.Primary.Reveal() != "p" || !again.Expires.Equal(time.UnixMilli(5)) {
			t.Errorf("%q with tokens reads as %+v, %v", text, again, err)
		}
	})
}
