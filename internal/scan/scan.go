// Package scan finds what looks like a secret in texts that are to leave the machine: keys of known shapes, passwords in
// addresses, tokens in headers, and values whose name says that they are secret.
//
// It knows no secret; what is known is taken out by value, see package secret. A shape is a guess: it takes along a few texts
// that are no secrets and misses those that look like nothing, so it comes after that and never in its place.
package scan

import (
	"regexp"
	"slices"
	"strings"
)

// Finding is something that looks like a secret. Its place is in bytes of the text, the end not included.
type Finding struct {
	Kind       string // "key of AWS"
	Start, End int
}

// shape is one way that secrets look. Its first group is the secret, the whole match when it has none.
type shape struct {
	kind    string
	needs   string // words of which one is in the line, in small letters, separated by spaces: most lines have none
	pattern *regexp.Regexp
	random  bool // it has to look as if it were made by chance, as words would fit as well
	lines   bool // it may go over several lines
}

// named is the kind of what is secret by its name.
const named = "value of a secret name"

// names are what secrets are called, as the end of a longer name, too.
const names = `(?:password|passwd|passphrase|pwd|secret|api[_-]?key|access[_-]?key(?:[_-]?id)?|private[_-]?key|secret[_-]?key|token|session[_-]?id|sid|credentials?)`

// Scanner knows the shapes. It is immutable and safe for concurrent use.
type Scanner struct{ shapes []shape }

// New makes a scanner. It compiles the shapes, which takes a millisecond: keep it. Sources: the forms that the providers document for their keys, RFC 7468 (PEM), RFC 7519 (JSON Web
// Token), RFC 3986 (user information of an address), RFC 9110 (authorization).
func New() *Scanner {
	return &Scanner{shapes: []shape{
		{kind: "private key", needs: "private key", lines: true, pattern: regexp.MustCompile(`-----BEGIN [A-Z0-9 ]*PRIVATE KEY[A-Z ]*-----(?s:.*?)-----END [A-Z0-9 ]*PRIVATE KEY[A-Z ]*-----`)},
		{kind: "private key", needs: "age-secret-key", pattern: regexp.MustCompile(`\bAGE-SECRET-KEY-1[A-Z0-9]{20,}`)},
		{kind: "key of a model provider", needs: "sk- sk_ pk- pk_ rk- rk_ gsk xai pplx tgp", pattern: regexp.MustCompile(`\b(?:sk|pk|rk|gsk|xai|pplx|tgp)[-_][A-Za-z0-9_-]{16,}`), random: true},
		{kind: "key of AWS", needs: "akia asia aroa aida abia acca", pattern: regexp.MustCompile(`\b(?:AKIA|ASIA|AROA|AIDA|ABIA|ACCA)[A-Z0-9]{16}\b`)},
		{kind: "token of GitHub", needs: "gh", pattern: regexp.MustCompile(`\b(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,})`)},
		{kind: "token of GitLab", needs: "gl", pattern: regexp.MustCompile(`\bgl(?:pat|oas|dt|rt)-[A-Za-z0-9_-]{16,}`)},
		{kind: "token of Slack", needs: "xox", pattern: regexp.MustCompile(`\bxox[a-z]-[A-Za-z0-9-]{10,}`)},
		{kind: "key of Google", needs: "aiza", pattern: regexp.MustCompile(`\bAIza[A-Za-z0-9_-]{30,}`)},
		{kind: "token of this runtime", needs: "sre_", pattern: regexp.MustCompile(`\bsre_[A-Za-z0-9_-]{24,}`)},
		{kind: "JSON Web Token", needs: "eyj", pattern: regexp.MustCompile(`\beyJ[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]*`)},
		{kind: "password in an address", needs: "://", pattern: regexp.MustCompile(`\b[A-Za-z][A-Za-z0-9+.-]*://[^\s/:@"'<>{}\[\]\\]*:([^\s/@"'<>{}\[\]\\]+)@`)},
		{kind: "authorization", needs: "bearer basic token apikey api-key", pattern: regexp.MustCompile(`(?i)\b(?:bearer|basic|token|apikey|api-key)[ :=]+([A-Za-z0-9._~+/-]{12,}=*)`), random: true},
		{kind: named, needs: "pass pwd secret key token sid session credential", pattern: regexp.MustCompile(`(?i)` + names + `["'\\]*[ \t]*[:=][ \t]*["'\\]*([^\s"'\\&,;<>{}\[\]()$]{6,})`), random: true},
		{kind: "cookie", needs: "cookie", pattern: regexp.MustCompile(`(?i)\b(?:set-)?cookie["'\\]*[ \t]*:[ \t]*["'\\]*[^\s"'\\&,;<>{}\[\]()=$]+=([^\s"'\\&,;<>{}\[\]()$]{6,})`), random: true},
	}}
}

// Find returns what looks like a secret, in its order. Findings do not overlap: the one that begins first counts, the longer
// one of two that begin together.
func (s *Scanner) Find(text string) []Finding {
	var all []Finding
	for from := 0; from < len(text); {
		to := len(text)
		if n := strings.IndexByte(text[from:], '\n'); n >= 0 {
			to = from + n + 1
		}
		all = append(all, s.find(text[from:to], from, false)...)
		from = to
	}
	all = append(all, s.find(text, 0, true)...)
	slices.SortStableFunc(all, func(a, b Finding) int {
		if a.Start != b.Start {
			return a.Start - b.Start
		}
		return b.End - a.End
	})
	kept := all[:0]
	for _, f := range all {
		if len(kept) == 0 || f.Start >= kept[len(kept)-1].End {
			kept = append(kept, f)
		}
	}
	return kept
}

// find looks for the shapes of a line, or for those that go over several, in a text that begins at from.
func (s *Scanner) find(text string, from int, lines bool) (all []Finding) {
	small := strings.ToLower(text)
	for _, sh := range s.shapes {
		if sh.lines != lines || !sh.possible(small) {
			continue
		}
		for _, at := range sh.pattern.FindAllStringSubmatchIndex(text, -1) {
			start, end := at[0], at[1]
			if len(at) > 2 {
				start, end = at[2], at[3]
			}
			if text[start:end] != Mark && (!sh.random || byChance(text[start:end])) {
				all = append(all, Finding{Kind: sh.kind, Start: from + start, End: from + end})
			}
		}
	}
	return all
}

// possible reports whether a text in small letters may hold the shape.
func (s shape) possible(small string) bool {
	if s.lines { // one need, which is several words
		return strings.Contains(small, s.needs)
	}
	for word := range strings.SplitSeq(s.needs, " ") {
		if strings.Contains(small, word) {
			return true
		}
	}
	return false
}

// byChance reports whether a text looks as if it were made by chance or chosen to be hard to guess: a digit is in it, or a
// capital after a small letter. Words are not like that.
func byChance(s string) bool {
	small := false
	for _, c := range []byte(s) {
		if c >= '0' && c <= '9' || small && c >= 'A' && c <= 'Z' {
			return true
		}
		small = c >= 'a' && c <= 'z'
	}
	return false
}

// Mark stands in the place of something that looked like a secret. It looks like none itself, and fits into an address.
const Mark = "REMOVED"

// Clean puts marks in the place of what looks like secrets.
func (s *Scanner) Clean(text string) (string, []Finding) {
	found := s.Find(text)
	if len(found) == 0 {
		return text, nil
	}
	var b strings.Builder
	last := 0
	for _, f := range found {
		b.WriteString(text[last:f.Start])
		b.WriteString(Mark)
		last = f.End
	}
	b.WriteString(text[last:])
	return b.String(), found
}

// Secret reports whether the member of an object is a secret by its name, and its text looks like one.
func (s *Scanner) Secret(name, text string) bool {
	for _, f := range s.Find(name + "=" + text) {
		if f.Kind == named && f.Start == len(name)+1 {
			return true
		}
	}
	return false
}
