package account

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/secret"
	"github.com/sre-go/sre/value"
)

// An API token is tokenPrefix, an id by which it is listed and revoked, and the secret: random bytes in base 32.
const (
	tokenPrefix  = "sre_"
	idBytes      = 5
	secretBytes  = 32
	idLength     = 8
	secretLength = 52
	tokenLength  = len(tokenPrefix) + idLength + secretLength

	alphabet = "abcdefghijklmnopqrstuvwxyz234567"
)

// Bounds of what a token says.
const (
	maxTokenName   = 100 // bytes
	maxTokenAgents = 100
)

// Token describes an API token. It holds nothing that would prove it.
type Token struct {
	ID      string   // listed and revoked by; the token begins with "sre_" and the id
	Name    string   // what it is for, in the words of who made it; may be empty
	Team    string   // whose agents it may call
	User    string   // whose token it is, "" for one of the team
	Scopes  Scopes   // what it is good for
	Agents  []string // the only agents that it may call, in order; none for all of the team
	Created time.Time
	Expires time.Time // from then on it is worth nothing; zero for never
	Revoked time.Time // since when it is worth nothing; zero when it was not revoked
	Used    time.Time // the last use, to the minute and written with delay; zero for none
}

// Display returns the beginning of the token, by which people recognise it.
func (t *Token) Display() string { return tokenPrefix + t.ID + "..." }

// reason says why the token proves nothing at a time, "" when it does.
func (t *Token) reason(now time.Time) string {
	switch {
	case !t.Revoked.IsZero():
		return "revoked"
	case !t.Expires.IsZero() && !now.Before(t.Expires):
		return "expired"
	}
	return ""
}

// Sum is the hash of a token. Tokens have 256 random bits, so a plain hash tells nothing about them.
type Sum [sha256.Size]byte

// Stored is a token as it is kept: with its hash, never the token itself.
type Stored struct {
	Token
	Sum Sum
}

// LooksLikeToken reports whether a text has the form of an API token, whatever it proves.
func LooksLikeToken(text string) bool {
	if len(text) != tokenLength || !strings.HasPrefix(text, tokenPrefix) {
		return false
	}
	for i := len(tokenPrefix); i < len(text); i++ {
		if !inAlphabet(text[i]) {
			return false
		}
	}
	return true
}

func inAlphabet(c byte) bool { return c >= 'a' && c <= 'z' || c >= '2' && c <= '7' }

// sumOf hashes a text of the form of a token.
func sumOf(text string) Sum {
	var plain [tokenLength]byte
	n := copy(plain[:], text)
	return sha256.Sum256(plain[:n])
}

// newToken draws a token with its id and hash.
func newToken(e effect.Source) (shown secret.Value, id string, sum Sum) {
	var random [idBytes + secretBytes]byte
	e.Random(random[:])
	encoding := base32.NewEncoding(alphabet).WithPadding(base32.NoPadding)
	id = encoding.EncodeToString(random[:idBytes])
	text := tokenPrefix + id + encoding.EncodeToString(random[idBytes:])
	return secret.New(text), id, sumOf(text)
}

// Record returns a stored token as an object with a checksum, for connectors that keep it as JSON. The last use is not
// part of it.
func (s *Stored) Record() value.Value {
	b := value.NewBuilder(11).Set("id", value.Of(s.ID)).Set("hash", value.Of(hex.EncodeToString(s.Sum[:])))
	setText(b, "name", s.Name)
	b.Set("team", value.Of(s.Team))
	setText(b, "user", s.User)
	b.Set("scopes", value.Strings(s.Scopes.Names()))
	if len(s.Agents) > 0 {
		b.Set("agents", value.Strings(s.Agents))
	}
	setTime(b, "created", s.Created)
	setTime(b, "expires", s.Expires)
	setTime(b, "revoked", s.Revoked)
	v := b.Build()
	return v.With("check", value.Of(checkOf(v)))
}

func setText(b *value.Builder, name, text string) {
	if text != "" {
		b.Set(name, value.Of(text))
	}
}

func setTime(b *value.Builder, name string, t time.Time) {
	if !t.IsZero() {
		b.Set(name, value.Of(t.UTC().Format(time.RFC3339)))
	}
}

// checkOf is the checksum of a record without it. It finds damage, not forgery: who may write the record may write
// another one.
func checkOf(v value.Value) string {
	sum := sha256.Sum256([]byte(v.Canonical()))
	return hex.EncodeToString(sum[:16])
}

// ParseRecord reads what [Stored.Record] returns. What is not exactly that is refused: a token that is only half
// understood could be good for more than it was.
func ParseRecord(v value.Value) (Stored, error) {
	var s Stored
	if !v.IsObject() {
		return Stored{}, fault.Newf(fault.Invalid, "a token is a %s, not an object", v.Kind())
	}
	check := v.GetString("check")
	if rest := v.Without("check"); check == "" || check != checkOf(rest) {
		return Stored{}, fault.Newf(fault.Invalid, "the checksum does not fit")
	}
	for _, m := range v.Members() {
		if err := s.member(m); err != nil {
			return Stored{}, err
		}
	}
	if s.ID == "" || s.Sum == (Sum{}) {
		return Stored{}, fault.Newf(fault.Invalid, "the token has no id or no hash")
	}
	if err := s.Validate(); err != nil {
		return Stored{}, err
	}
	return s, nil
}

func (s *Stored) member(m value.Member) (err error) {
	text, isText := m.Value.Str()
	switch m.Key {
	case "id":
		s.ID, isText = text, isText && ValidTokenID(text)
	case "hash":
		var n int
		n, err = hex.Decode(s.Sum[:], []byte(text[:min(len(text), 2*len(s.Sum))]))
		isText = isText && n == len(s.Sum) && len(text) == 2*len(s.Sum)
	case "name":
		s.Name = text
	case "team":
		s.Team = text
	case "user":
		s.User = text
	case "created":
		s.Created, err = parseTime(text)
	case "expires":
		s.Expires, err = parseTime(text)
	case "revoked":
		s.Revoked, err = parseTime(text)
	case "check":
	case "scopes":
		var names []string
		if names, isText = texts(m.Value); isText {
			s.Scopes, err = ParseScopes(names)
		}
	case "agents":
		s.Agents, isText = texts(m.Value)
		isText = isText && len(s.Agents) > 0
	default:
		isText = false
	}
	if err != nil || !isText {
		return fault.Newf(fault.Invalid, "the member %q of a token cannot be understood", m.Key)
	}
	return nil
}

// parseTime reads a time exactly as setTime writes it.
func parseTime(text string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339, text)
	if err == nil && (t.IsZero() || t.UTC().Format(time.RFC3339) != text) {
		err = fault.Newf(fault.Invalid, "no time in UTC to the second")
	}
	return t.UTC(), err
}

func texts(v value.Value) ([]string, bool) {
	if !v.IsArray() {
		return nil, false
	}
	out := make([]string, 0, v.Len())
	for _, item := range v.Items() {
		text, ok := item.Str()
		if !ok {
			return nil, false
		}
		out = append(out, text)
	}
	return out, true
}

// ValidTokenID reports whether a text has the form of the id of a token.
func ValidTokenID(id string) bool {
	for i := range len(id) {
		if !inAlphabet(id[i]) {
			return false
		}
	}
	return len(id) == idLength
}

// Validate checks what a token says. The error is [fault.Invalid] and says what is wrong.
func (t *Token) Validate() error {
	if err := access.ValidID(t.Team); err != nil {
		return fault.Newf(fault.Invalid, "team: %w", err)
	}
	if t.User != "" {
		if err := access.ValidID(t.User); err != nil {
			return fault.Newf(fault.Invalid, "user: %w", err)
		}
	}
	for _, id := range t.Agents {
		if err := access.ValidID(id); err != nil {
			return fault.Newf(fault.Invalid, "agent: %w", err)
		}
	}
	for _, at := range []time.Time{t.Created, t.Expires, t.Revoked} {
		if at.UTC().Year() > 9999 {
			return fault.Newf(fault.Invalid, "the year %d is too far away", at.Year())
		}
	}
	switch all := ScopeRun | ScopeDebug | ScopeAdmin; {
	case len(t.Name) > maxTokenName || !printable(t.Name):
		return fault.Newf(fault.Invalid, "the name of a token is text without control characters, at most %d bytes", maxTokenName)
	case len(t.Agents) > maxTokenAgents:
		return fault.Newf(fault.Invalid, "a token names at most %d agents, this one names %d", maxTokenAgents, len(t.Agents))
	case !slices.IsSorted(t.Agents) || len(slices.Compact(slices.Clone(t.Agents))) != len(t.Agents):
		return fault.Newf(fault.Invalid, "the agents of a token are not in order")
	case t.Scopes == 0 || t.Scopes&^all != 0:
		return fault.Newf(fault.Invalid, "a token has one of the scopes %s", strings.Join(ScopeNames(), ", "))
	}
	return nil
}

// printable reports whether a text can be shown in a terminal and a log as it is.
func printable(text string) bool {
	return utf8.ValidString(text) && !strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) })
}
