// Package hop tells where a request comes from that comes back to this runtime over the network: how deep it is, and
// whose budget it counts towards.
//
// Agents that call each other are counted where they are called. An agent that sends a request to the address of its own
// server would begin at nothing each time, without end. So the door to the network adds a header to requests that go to
// this runtime, with the depth they come from, and the server believes it when it bears the runtime's own signature.
// A client outside cannot make one; one that sends an old one again gains nothing, for it only makes its request deeper.
package hop

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"strconv"
	"strings"

	"github.com/sre-go/sre/fault"
)

// Header is the name of the header, with depth, budget, run and signature: "X-SRE-Hop: 2.MFRG….rt-2026-11-23.Ab…".
const Header = "X-Sre-Hop"

// Hop is where a request comes from.
type Hop struct {
	Depth  int    // how many agents called each other to come to it; 0 outside of agents
	Run    string // id of the run that sent it
	Budget string // names what the run may use, "" for nothing that is bounded; at most [MaxBudget] letters and digits
}

// MaxBudget bounds the name of a budget, in bytes.
const MaxBudget = 40

type (
	contextKey struct{}
	arrivedKey struct{}
)

// Arrived returns the context of a request that came with a hop.
func Arrived(ctx context.Context, h Hop) context.Context {
	return context.WithValue(ctx, arrivedKey{}, h)
}

// From returns the hop that the request of a context came with, the zero Hop for none.
func From(ctx context.Context) Hop {
	h, _ := ctx.Value(arrivedKey{}).(Hop)
	return h
}

// With returns the context of what a run does.
func With(ctx context.Context, h Hop) context.Context { return context.WithValue(ctx, contextKey{}, h) }

// Of returns the run that a context belongs to, the zero Hop outside of runs.
func Of(ctx context.Context) Hop {
	h, _ := ctx.Value(contextKey{}).(Hop)
	return h
}

// Bounds of what is signed. A deeper request is refused by any limit there is.
const (
	maxDepth = 1 << 20
	maxRun   = 200
)

// Sign returns the value of the header for a request that a run sends, "" outside of runs. The error is that of the file
// the key is kept in.
func (k *Key) Sign(h Hop) (string, error) {
	if h.Depth <= 0 {
		return "", nil
	}
	key, err := k.get(true)
	if err != nil {
		return "", err
	}
	if !isName(h.Budget) {
		return "", fault.Newf(fault.Internal, "%.60q cannot name a budget", h.Budget)
	}
	text := strconv.Itoa(min(h.Depth, maxDepth)) + "." + h.Budget + "." + plain(h.Run)
	return text + "." + mac(key, text), nil
}

// Verify reads a header. One that this key has not signed is [fault.Unauthenticated].
func (k *Key) Verify(text string) (Hop, error) {
	signed, sum, ok := cutLast(text)
	depth, rest, two := strings.Cut(signed, ".")
	budget, run, three := strings.Cut(rest, ".")
	n, err := strconv.Atoi(depth)
	if !ok || !two || !three || err != nil || n < 1 || n > maxDepth || strconv.Itoa(n) != depth || !isName(budget) || len(run) > maxRun {
		return Hop{}, errForeign()
	}
	key, err := k.get(false)
	if err != nil {
		return Hop{}, err
	}
	if key == nil || !hmac.Equal([]byte(sum), []byte(mac(key, signed))) {
		return Hop{}, errForeign()
	}
	return Hop{Depth: n, Run: run, Budget: budget}, nil
}

func errForeign() error {
	return fault.Newf(fault.Unauthenticated, "the header %s was not signed here", Header)
}

func cutLast(text string) (before, after string, ok bool) {
	i := strings.LastIndexByte(text, '.')
	if i < 0 {
		return "", "", false
	}
	return text[:i], text[i+1:], true
}

func mac(key []byte, text string) string {
	m := hmac.New(sha256.New, key)
	m.Write([]byte("sre hop 2\n" + text))
	return base64.RawURLEncoding.EncodeToString(m.Sum(nil))
}

// plain is the id of a run as a header can hold it: callers may name runs, so any other text gives way to its digest.
func plain(run string) string {
	fits := len(run) <= maxRun
	for i := 0; fits && i < len(run); i++ {
		c := run[i]
		fits = c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_' || c == '.'
	}
	if fits {
		return run
	}
	sum := sha256.Sum256([]byte(run))
	return "sha256-" + hex.EncodeToString(sum[:16])
}

// isName reports whether text can name a budget: letters and digits, or nothing.
func isName(text string) bool {
	for i := range len(text) {
		if c := text[i]; (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			return false
		}
	}
	return len(text) <= MaxBudget
}
