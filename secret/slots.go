package secret

import (
	"bytes"
	"context"
	"errors"
	"strconv"
	"strings"
	"sync"
)

// Slots hands out stand-ins for the secrets of one request. A component writes the stand-in where the secret belongs,
// into a URL, a header or a body, and the door to the network puts the secret in after it has checked the host. So a
// request to the wrong host, a log line or a debug session holds the stand-in, which is worth nothing.
//
// Slots is safe for concurrent use. It lives as long as the request.
type Slots struct {
	mark string // begins every stand-in; nobody can guess it

	mu     sync.Mutex
	values []Value
}

// NewSlots returns slots without secrets. id is random, has at least 16 letters and digits, and is used for nothing else.
func NewSlots(id string) *Slots {
	return &Slots{mark: "sreslot" + strings.ReplaceAll(id, "-", "") + "n"}
}

// Put returns the stand-in of a secret: letters and digits, which no encoding of a request changes. It is the same for
// the same secret.
func (s *Slots) Put(v Value) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, known := range s.values {
		if known.text == v.text && known.hosts == v.hosts || known.Equal(v) && sameHosts(known, v) {
			return s.name(i)
		}
	}
	s.values = append(s.values, v)
	return s.name(len(s.values) - 1)
}

func (s *Slots) name(i int) string { return s.mark + strconv.Itoa(i) + "z" }

func sameHosts(a, b Value) bool {
	return strings.Join(a.Hosts(), " ") == strings.Join(b.Hosts(), " ") && (a.hosts == nil) == (b.hosts == nil)
}

// Holds reports whether a text has a stand-in of these slots. Nil Slots have none.
func (s *Slots) Holds(text string) bool { return s != nil && strings.Contains(text, s.mark) }

// Within is Holds for bytes.
func (s *Slots) Within(text []byte) bool { return s != nil && bytes.Contains(text, []byte(s.mark)) }

// mostDigits is how long the number of a stand-in may be, with its end.
const mostDigits = 20

// Partial returns how many bytes at the end of a text may be the beginning of a stand-in. Whoever fills a stream keeps
// them until more has come.
func (s *Slots) Partial(text []byte) int {
	if s == nil {
		return 0
	}
	if i := bytes.LastIndex(text, []byte(s.mark)); i >= 0 {
		after := text[i+len(s.mark):]
		if len(after) <= mostDigits && len(bytes.Trim(after, "0123456789")) == 0 {
			return len(text) - i
		}
	}
	for n := min(len(s.mark)-1, len(text)); n > 0; n-- {
		if bytes.HasSuffix(text, []byte(s.mark[:n])) {
			return n
		}
	}
	return 0
}

// Errors of [Slots.Fill].
var (
	// ErrHost says that a secret may not be sent to the host.
	ErrHost = errors.New("the secret may not be sent to this host")
	// ErrSlot says that a text has a stand-in that these slots never gave out.
	ErrSlot = errors.New("the text names a secret that is not there")
)

// Fill returns the text with every stand-in replaced by its secret, as escape writes it; nil writes it as it is. It is
// for the door to the network and nobody else. A secret that may not go to the host is [ErrHost].
func (s *Slots) Fill(text, host string, escape func(string) string) (string, error) {
	if !s.Holds(text) {
		return text, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var out strings.Builder
	for {
		before, after, ok := strings.Cut(text, s.mark)
		out.WriteString(before)
		if !ok {
			return out.String(), nil
		}
		digits, rest, ok := strings.Cut(after, "z")
		i, err := strconv.Atoi(digits)
		if !ok || err != nil || i < 0 || i >= len(s.values) {
			return "", ErrSlot
		}
		v := s.values[i]
		if !v.MayGoTo(host) {
			return "", ErrHost
		}
		plain := v.Reveal()
		if escape != nil {
			plain = escape(plain)
		}
		out.WriteString(plain)
		text = rest
	}
}

type slotsKey struct{}

// WithSlots returns a context whose requests have their stand-ins filled from s.
func WithSlots(ctx context.Context, s *Slots) context.Context {
	return context.WithValue(ctx, slotsKey{}, s)
}

// SlotsOf returns the slots of a context, nil for none.
func SlotsOf(ctx context.Context) *Slots {
	s, _ := ctx.Value(slotsKey{}).(*Slots)
	return s
}
