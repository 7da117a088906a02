package httpserver

import (
	"bytes"
	"mime/multipart"
	"net/url"
	"strings"
	"testing"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/limits"
)

func TestParseForm(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, text, want string }{
		{"nothing", "", `{}`},
		{"separators only", "&&&", `{}`},
		{"order of names", "b=1&a=2", `{"b":"1","a":"2"}`},
		{"no text", "a&b=", `{"a":"","b":""}`},
		{"no name", "=1", `{"":"1"}`},
		{"escapes", "a+b=%26%3D+c", `{"a b":"&= c"}`},
		{"equals in text", "a=b=c", `{"a":"b=c"}`},
		{"semicolons", "a=1;b=2", `{"a":"1;b=2"}`},
		{"repeated", "a=1&b=x&a=2&a=3", `{"a":["1","2","3"],"b":"x"}`},
		{"list of one", "a[]=1", `{"a":["1"]}`},
		{"both forms of list", "a=1&a[]=2", `{"a":["1","2"]}`},
		{"object", "f[min]=1&f[max]=2", `{"f":{"min":"1","max":"2"}}`},
		{"escaped brackets", "f%5Bmin%5D=1", `{"f":{"min":"1"}}`},
		{"deep", "a[b][c][d][e][f]=1", `{"a":{"b":{"c":{"d":{"e":{"f":"1"}}}}}}`},
		{"too deep", "a[b][c][d][e][f][g]=1", `{"a[b][c][d][e][f][g]":"1"}`},
		{"list in an object", "a[b][]=1", `{"a":{"b":["1"]}}`},
		{"not closed", "a[b=1", `{"a[b":"1"}`},
		{"text behind", "a[b]c=1", `{"a[b]c":"1"}`},
		{"no head", "[a]=1", `{"[a]":"1"}`},
		{"hole", "a[][b]=1", `{"a[][b]":"1"}`},
		{"nested brackets", "a[b[c]]=1", `{"a[b[c]]":"1"}`},
		{"names of JavaScript", "__proto__[x]=1&constructor=2", `{"__proto__":{"x":"1"},"constructor":"2"}`},
		{"broken UTF-8", "%ff=%fe", `{"` + "\uFFFD" + `":"` + "\uFFFD" + `"}`},
		{"placeholder", "a={{KEY(x)}}", `{"a":"{{KEY(x)}}"}`},
	}
	for _, tt := range tests {
		got, err := parseForm(tt.text, 10)
		if err != nil || got.JSON() != tt.want {
			t.Errorf("%s: parseForm(%q) = %s, %v, want %s", tt.name, tt.text, got.JSON(), err, tt.want)
		}
	}
	for text, kind := range map[string]fault.Kind{
		"a=%": fault.Invalid, "%x=1": fault.Invalid, "a[b]=1&a=2": fault.Invalid, "a=2&a[b]=1": fault.Invalid,
		"a[b][c]=1&a[b]=2": fault.Invalid, strings.Repeat("a&", 11): fault.Limit,
	} {
		if got, err := parseForm(text, 10); !fault.Is(err, kind) {
			t.Errorf("parseForm(%q) = %s, %v, want %v", text, got.JSON(), err, kind)
		}
	}
}

// FuzzParseForm: whatever the text, it is read as before when it is plain, and bounded.
func FuzzParseForm(f *testing.F) {
	for _, s := range []string{"", "a=1&a=2", "a[]=1", "a[b][c]=1&a[b][d]=2", "a=%zz", "%5b%5d=1", "a[b=1", "&=&", "a=1;b", "%ff=\xff", "a[b]=1&a=1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		v, err := parseForm(text, 100)
		if err != nil {
			if k := fault.KindOf(err); k != fault.Invalid && k != fault.Limit {
				t.Fatalf("parseForm(%q) error = %v of kind %v", text, err, k)
			}
			return
		}
		if strings.ContainsAny(text, ";[") || strings.Contains(strings.ToLower(text), "%5b") {
			return
		}
		want, err := url.ParseQuery(text)
		if err != nil {
			t.Fatalf("parseForm(%q) = %s, but the standard library says %v", text, v.JSON(), err)
		}
		valid := 0
		for name, texts := range want {
			if strings.ToValidUTF8(name, "?") != name {
				return
			}
			valid++
			got := v.Get(name)
			if len(texts) == 1 && got.Text() != strings.ToValidUTF8(texts[0], "\uFFFD") || len(texts) > 1 && got.Len() != len(texts) {
				t.Fatalf("parseForm(%q)[%q] = %s, want %q", text, name, got.JSON(), texts)
			}
		}
		if len(v.Members()) != valid {
			t.Fatalf("parseForm(%q) = %s, want %d names", text, v.JSON(), valid)
		}
	})
}

// FuzzReadMultipart: no form panics, and what is read is no more than what was sent.
func FuzzReadMultipart(f *testing.F) {
	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	if err := w.SetBoundary("b"); err != nil {
		f.Fatal(err)
	}
	if err := w.WriteField("a[b]", "1"); err != nil {
		f.Fatal(err)
	}
	if p, err := w.CreateFormFile("file", "../x"); err != nil {
		f.Fatal(err)
	} else if _, err := p.Write([]byte("data")); err != nil {
		f.Fatal(err)
	}
	if err := w.Close(); err != nil {
		f.Fatal(err)
	}
	f.Add(form.Bytes(), "b")
	f.Add([]byte("--b\r\nContent-Disposition: form-data; name=a\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n=41\r\n--b--"), "b")
	f.Add([]byte("--b--\r\n"), "b")
	f.Add([]byte("--b\r\n\r\n"), "")
	f.Add([]byte("--b\r\nContent-Disposition: form-data; name=a; filename*=UTF-8''%2e%2e%2fx\r\n\r\n\r\n--b--"), "b")
	l := limits.Default()
	f.Fuzz(func(t *testing.T, body []byte, boundary string) {
		v, files, err := readMultipart(bytes.NewReader(body), boundary, &l)
		if err != nil {
			return
		}
		size := 0
		for _, file := range files {
			if size += len(file.Data); file.Field == "" || file.Name == "" || strings.ContainsAny(file.Name, "/\x00") && strings.Contains(file.Name, "/") {
				t.Errorf("file %q of field %q, want a name without a path", file.Name, file.Field)
			}
		}
		for _, m := range v.Members() {
			if s, ok := m.Value.Str(); ok && !strings.Contains(s, "\uFFFD") {
				size += len(s)
			}
		}
		if size > len(body) {
			t.Errorf("%d bytes were read of a body of %d", size, len(body))
		}
	})
}
