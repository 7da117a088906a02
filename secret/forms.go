package secret

import (
	"encoding/base64"
	"encoding/hex"
	"html"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"
)

// forms returns the ways in which encoders write a secret, each once. Spaces around a secret are no part of it: whoever
// sends it may leave them out.
func forms(s string) []string {
	s = strings.TrimSpace(s)
	quoted := quotedForms(s)
	all := append([]string{s}, quoted...)
	all = append(all, urlForms(s)...)
	all = append(all, html.EscapeString(s), url.QueryEscape(url.QueryEscape(s)), jsonForm{}.write(quoted[0]), jsonForm{}.write(quoted[2]))
	digits := hex.EncodeToString([]byte(s))
	all = append(all, digits, strings.ToUpper(digits))
	for _, b := range base64Forms(s) {
		all = append(all, b, strings.ReplaceAll(b, "/", `\/`))
		escaped := url.QueryEscape(b)
		all = append(all, escaped, lowerPercent(escaped))
	}
	seen := make(map[string]bool, len(all))
	distinct := all[:0]
	for _, form := range all {
		if len(form) >= MinLength && !seen[form] && !strings.Contains(Redacted, form) {
			seen[form] = true
			distinct = append(distinct, form)
		}
	}
	return distinct
}

// jsonForm says what an encoder of JSON escapes besides what it must.
type jsonForm struct {
	slash bool // "/" as "\/"
	html  bool // "<", ">" and "&", and the two line ends of Unicode
	more  bool // "+", "'" and "`"
	ascii bool // all that is not ASCII
	long  bool // line ends and the like as "\u000a"
	upper bool // with capital digits
}

// quotedForms returns what stands between the quotes of a string of JSON or of Go; the shortest way comes first.
func quotedForms(s string) []string {
	var all []string
	for _, f := range []jsonForm{
		{}, {slash: true}, {html: true}, {html: true, more: true, ascii: true, upper: true}, {ascii: true}, {ascii: true, upper: true},
		{ascii: true, slash: true}, {long: true}, {long: true, upper: true},
	} {
		all = append(all, f.write(s))
	}
	plain := strconv.Quote(s)
	return append(all, plain[1:len(plain)-1])
}

func (f jsonForm) write(s string) string {
	var b strings.Builder
	for i, r := range s {
		size := utf8.RuneLen(r)
		if r == utf8.RuneError {
			_, size = utf8.DecodeRuneInString(s[i:])
		}
		f.rune(&b, r, s[i:i+size])
	}
	return b.String()
}

// rune writes one character. plain is how the secret has it.
func (f jsonForm) rune(b *strings.Builder, r rune, plain string) {
	short := strings.IndexRune("\b\f\n\r\t", r)
	switch {
	case r == '"' && f.more:
		f.unit(b, r)
	case r == '"' || r == '\\' || r == '/' && f.slash:
		b.WriteByte('\\')
		b.WriteRune(r)
	case short >= 0 && !f.long:
		b.WriteByte('\\')
		b.WriteByte("bfnrt"[short])
	case r < ' ' || f.html && strings.ContainsRune("<>&\u2028\u2029", r) || f.more && strings.ContainsRune("+'`\x7f", r) ||
		f.ascii && r > '~' && r < 0x10000:
		f.unit(b, r)
	case f.ascii && r >= 0x10000:
		f.unit(b, 0xD800+(r-0x10000)>>10)
		f.unit(b, 0xDC00+(r-0x10000)&0x3FF)
	default:
		b.WriteString(plain)
	}
}

// unit writes a UTF-16 unit as four digits.
func (f jsonForm) unit(b *strings.Builder, r rune) {
	digits := strconv.FormatInt(int64(r)|0x10000, 16)[1:]
	if f.upper {
		digits = strings.ToUpper(digits)
	}
	b.WriteString(`\u`)
	b.WriteString(digits)
}

// urlForms returns how a secret stands in a path, in a query and in a form, with capital and with small digits.
func urlForms(s string) []string {
	query := url.QueryEscape(s)
	strict := strings.ReplaceAll(query, "+", "%20") // a plus of the secret itself is escaped in it
	script := strings.NewReplacer("%21", "!", "%27", "'", "%28", "(", "%29", ")", "%2A", "*").Replace(strict)
	var all []string
	for _, form := range []string{query, strict, script, url.PathEscape(s)} {
		all = append(all, form, lowerPercent(form))
	}
	return all
}

// lowerPercent writes the digits behind percent signs small.
func lowerPercent(s string) string {
	if !strings.Contains(s, "%") {
		return s
	}
	b := []byte(s)
	for i := 0; i+2 < len(b); i++ {
		if b[i] == '%' {
			copy(b[i+1:], strings.ToLower(string(b[i+1:i+3])))
		}
	}
	return string(b)
}

// base64Forms returns how a secret stands in base64: alone, with and without padding, and inside of a longer text, where
// it begins at the first, second or third byte of a group. Of those the characters count that its neighbours do not
// change.
func base64Forms(s string) []string {
	var all []string
	for _, e := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding} {
		all = append(all, e.EncodeToString([]byte(s)), e.WithPadding(base64.NoPadding).EncodeToString([]byte(s)))
		for before := range 3 {
			text := e.WithPadding(base64.NoPadding).EncodeToString(append(make([]byte, before), s...))
			first, end := (8*before+5)/6, 8*(before+len(s))/6
			all = append(all, text[first:end])
		}
	}
	return all
}
