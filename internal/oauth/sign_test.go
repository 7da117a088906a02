package oauth

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/sre-go/sre/secret"
)

func address(t testing.TB, text string) *url.URL {
	t.Helper()
	u, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// TestSignature_RFC5849 holds examples of the standard, section 1.2.
func TestSignature_RFC5849(t *testing.T) {
	t.Parallel()
	base := func(timestamp, nonce string, more ...Param) []Param {
		return append([]Param{
			{"oauth_consumer_key", "dpf43f3p2l4k3l03"}, {"oauth_signature_method", "HMAC-SHA1"}, {"oauth_timestamp", timestamp}, {"oauth_nonce", nonce},
		}, more...)
	}
	consumer := secret.New("kd94hf93k423kf44")
	tests := []struct {
		name, method, url string
		c                 Credentials
		params            []Param
		want              string
	}{
		{
			"token", "POST", "https://photos.example.net/token", Credentials{ConsumerSecret: consumer, TokenSecret: secret.New("hdhd0244k9j7ao03")},
			base("137131201", "walatlh", Param{"oauth_token", "hh5s93j4hdidpola"}, Param{"oauth_verifier", "hfdp7dh39dks9884"}), "gKgrFCywp7rO0OXSjdot/IHF7IU=",
		},
		{
			"resource", "GET", "http://photos.example.net/photos?file=vacation.jpg&size=original", Credentials{ConsumerSecret: consumer, TokenSecret: secret.New("pfkkdhi9sl3r4s00")},
			base("137131202", "chapoH", Param{"oauth_token", "nnch734d00sl2jdk"}), "MdpQcU8iPSUjWoN/UDMsK2sui9I=",
		},
	}
	for _, tt := range tests {
		if got := tt.c.signature(Request{Method: tt.method, URL: address(t, tt.url)}, tt.params); got != tt.want {
			t.Errorf("%s: signature = %q, want %q", tt.name, got, tt.want)
		}
	}
}

// TestBaseString_RFC5849 is the example of section 3.4.1.1.
func TestBaseString_RFC5849(t *testing.T) {
	t.Parallel()
	got := baseString(Request{
		Method: "post", URL: address(t, "HTTP://EXAMPLE.COM:80/request?b5=%3D%253D&a3=a&c%40=&a2=r%20b"),
		Form: []Param{{"c2", ""}, {"a3", "2 q"}},
	}, []Param{
		{"oauth_consumer_key", "9djdj82h48djs9d2"}, {"oauth_token", "kkk9d7dh3k39sjv7"}, {"oauth_signature_method", "HMAC-SHA1"},
		{"oauth_timestamp", "137131201"}, {"oauth_nonce", "7d8f3e4a"},
	})
	const want = "POST&http%3A%2F%2Fexample.com%2Frequest&a2%3Dr%2520b%26a3%3D2%2520q%26a3%3Da%26b5%3D%253D%25253D%26c%2540%3D%26c2%3D%26" +
		"oauth_consumer_key%3D9djdj82h48djs9d2%26oauth_nonce%3D7d8f3e4a%26oauth_signature_method%3DHMAC-SHA1%26oauth_timestamp%3D137131201%26oauth_token%3Dkkk9d7dh3k39sjv7"
	if got != want {
		t.Errorf("base string\n%s\nwant\n%s", got, want)
	}
}

func TestBaseURL(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"HTTPS://Example.com:443/A%2fb": "https://example.com/A%2fb", "http://x.test": "http://x.test/", "http://x.test:8080/?a=b#c": "http://x.test:8080/", "https://x.test:80/": "https://x.test:80/",
	} {
		if got := baseURL(address(t, in)); got != want {
			t.Errorf("baseURL(%s) = %s, want %s", in, got, want)
		}
	}
}

func TestHeader(t *testing.T) {
	t.Parallel()
	c := Credentials{ConsumerKey: `k"ey`, ConsumerSecret: secret.New("s"), Token: "t", TokenSecret: secret.New("ts")}
	got := c.Header(Request{Method: "PUT", URL: address(t, "http://x.test/"), Body: []byte("hello")}, "nonce", time.Unix(1700000000, 999))
	if !strings.HasPrefix(got, "OAuth ") || strings.Contains(got, `k"ey`) || strings.Contains(got, `"ts"`) {
		t.Errorf("header %q", got)
	}
	for _, want := range []string{
		`oauth_consumer_key="k%22ey"`, `oauth_body_hash="qvTGHdzF6KLavt4PO0gs2a6pQ00%3D"`, `oauth_timestamp="1700000000"`, `oauth_nonce="nonce"`, `oauth_token="t"`,
		`oauth_version="1.0"`, `oauth_signature_method="HMAC-SHA1"`, `oauth_signature="`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("header %q, want %q in it", got, want)
		}
	}
	if other := c.Header(Request{Method: "PUT", URL: address(t, "http://x.test/"), Body: []byte("hallo")}, "nonce", time.Unix(1700000000, 0)); other == got {
		t.Error("another body has the same header")
	}
}

func FuzzBaseString(f *testing.F) {
	for _, s := range []string{"", "a=b&c", "%zz=%", "=", "&&", "a=%26&a=%3D", "\x00=\xff"} {
		f.Add(s, s)
	}
	f.Fuzz(func(t *testing.T, query, text string) {
		got := baseString(Request{Method: "GET", URL: &url.URL{Scheme: "http", Host: "x.test", RawQuery: query}, Form: []Param{{text, text}}}, nil)
		if strings.Count(got, "&") != 2 {
			t.Errorf("base string %q of %q and %q, want three parts", got, query, text)
		}
	})
}

func BenchmarkHeader(b *testing.B) {
	c := Credentials{ConsumerKey: "key", ConsumerSecret: secret.New("secret"), Token: "token", TokenSecret: secret.New("token secret")}
	r := Request{Method: "GET", URL: address(b, "https://api.example.com/1.1/items?page=2&size=50")}
	at := time.Unix(1700000000, 0)
	b.ReportAllocs()
	for b.Loop() {
		_ = c.Header(r, "nonce", at)
	}
}
