package account

import (
	"context"
	"time"

	"github.com/sre-go/sre/access"
)

// Tokens is implemented by connectors that keep API tokens. Its methods are safe for concurrent use. A change is kept
// when it returns nil, and counts for the calls of LoadTokens that start afterwards. Grants name the team, as "team:id".
type Tokens interface {
	// LoadTokens returns all tokens of all teams. mark is that of an earlier set, or ""; when the tokens are still the
	// same, a set with that mark and nothing else is enough. It is never asked more than a few times a second.
	LoadTokens(ctx context.Context, mark string) (TokenSet, error)
	// PutToken keeps a new token of the team. One with its id is [fault.Conflict].
	PutToken(ctx context.Context, g access.Grant[access.Write], t Stored) error
	// RevokeToken notes since when a token of the team is worth nothing; what was revoked before stays so. One that the
	// team does not have is [fault.NotFound].
	RevokeToken(ctx context.Context, g access.Grant[access.Write], id string, at time.Time) error
	// MarkTokens notes when tokens were used last, by their id. Unknown ones are left out. The mark of the tokens may
	// stay what it is.
	MarkTokens(ctx context.Context, used map[string]time.Time) error
}

// TokenSet is what a connector holds at one moment.
type TokenSet struct {
	Mark    string // tells whether tokens have changed; never ""
	Tokens  []Stored
	Damaged []string // names of what could not be understood: nothing of it counts
}

// Verifier is implemented by connectors that can look for damage in all they hold.
type Verifier interface {
	// Verify names everything that is damaged. The error says that nothing could be read at all.
	Verify(ctx context.Context) (damaged []string, err error)
}
