package secret

import (
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"slices"
	"strings"
	"sync"
)

// Registry remembers which secrets a runtime has handed out, by the team they were handed to, so that they can be taken
// out of everything that leaves it. The zero Registry and nil remember nothing yet. It is safe for concurrent use.
type Registry struct {
	mu        sync.RWMutex
	redactors map[string]*Redactor // by team; "" holds what belongs to the operator and counts for every team
}

// MinLength is the length of the shortest secret that is taken out by value, in bytes. A shorter one would take ordinary
// words out.
const MinLength = 6

// Note remembers a secret that was handed to a team, "" for the operator.
func (r *Registry) Note(team string, v Value) {
	plain := v.Reveal()
	if r == nil || len(plain) < MinLength {
		return
	}
	r.mu.RLock()
	known := slices.Contains(r.redactors[team].plain(), plain)
	r.mu.RUnlock()
	if known {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if slices.Contains(r.redactors[team].plain(), plain) {
		return
	}
	if r.redactors == nil {
		r.redactors = make(map[string]*Redactor)
	}
	r.redactors[team] = newRedactor(append(slices.Clip(r.redactors[team].plain()), plain))
}

// For returns what takes the secrets of a team and of the operator out of texts, nil when there are none.
func (r *Registry) For(team string) *Redactor {
	if r == nil {
		return nil
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	own, all := r.redactors[team], r.redactors[""]
	switch {
	case all == nil || team == "":
		return own
	case own == nil:
		return all
	}
	return newRedactor(append(slices.Clip(own.plain()), all.plain()...))
}

// Redactor replaces secrets in texts by [Redacted], also where they are written in base64, hexadecimal, or escaped for
// URLs or JSON. Nil replaces nothing. It is immutable and safe for concurrent use.
type Redactor struct {
	secrets  []string
	replacer *strings.Replacer
}

func (r *Redactor) plain() []string {
	if r == nil {
		return nil
	}
	return r.secrets
}

func newRedactor(secrets []string) *Redactor {
	var pairs []string
	for _, s := range secrets {
		for _, form := range forms(s) {
			pairs = append(pairs, form, Redacted)
		}
	}
	return &Redactor{secrets: secrets, replacer: strings.NewReplacer(pairs...)}
}

// forms returns the ways in which encoders write a secret.
func forms(s string) []string {
	quoted := strings.NewReplacer(`\`, `\\`, `"`, `\"`, "/", `\/`).Replace(s)
	return []string{
		s, quoted, url.QueryEscape(s), url.PathEscape(s), hex.EncodeToString([]byte(s)), strings.ToUpper(hex.EncodeToString([]byte(s))),
		base64.StdEncoding.EncodeToString([]byte(s)), base64.URLEncoding.EncodeToString([]byte(s)),
		base64.RawStdEncoding.EncodeToString([]byte(s)), base64.RawURLEncoding.EncodeToString([]byte(s)),
	}
}

// Text returns the text without the secrets.
func (r *Redactor) Text(s string) string {
	if r == nil || s == "" {
		return s
	}
	return r.replacer.Replace(s)
}
