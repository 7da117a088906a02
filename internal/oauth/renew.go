package oauth

import (
	"context"
	"time"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/secret"
)

// Keeper keeps records for one owner: what a [Renewal] needs of a handle of the managed vault.
type Keeper interface {
	// Get returns an entry. One that is not there is [fault.NotFound].
	Get(ctx context.Context, key string) (secret.Value, error)
	// Renew reads an entry, empty for none, and stores what f makes of it. Callers at the same time share one call of f.
	// An entry that could not be stored comes back together with the error.
	Renew(ctx context.Context, key string, f func(ctx context.Context, entry secret.Value) (secret.Value, error)) (secret.Value, error)
}

// Renewal is a record in use: it is read, and its access token renewed when it is not good any more. All fields but Early
// and Unkept are needed. It is safe for concurrent use when its functions are.
type Renewal struct {
	Keeper Keeper
	Key    string           // of the record, see [Key]
	Now    func() time.Time // the clock that Expires is read by
	Early  time.Duration    // how long before its end a token is renewed
	// Refused is an access token that was refused although it is not at its end: it is not good any more. Empty for none.
	Refused secret.Value
	// Read reads an entry, which is empty when there is none.
	Read func(entry secret.Value) (Record, error)
	// Grant asks the token server of a record.
	Grant func(ctx context.Context, r Record) (Tokens, error)
	// Unkept is told that new tokens are used which could not be stored.
	Unkept func(err error)
}

// Record returns the record with an access token that is good, asking for a new one when it has to. Records of OAuth 1.0a
// come as they are: their tokens do not end. A token that is not at its end yet is used when no new one can be had. The
// errors are those of Keeper, Read and Grant, and that of ctx.
func (n Renewal) Record(ctx context.Context) (Record, error) {
	entry, err := n.Keeper.Get(ctx, n.Key)
	if err != nil && !fault.Is(err, fault.NotFound) {
		return Record{}, err
	}
	r, err := n.Read(entry)
	if err != nil || r.Type == OAuth1 || n.good(r) {
		return r, err
	}
	next, err := n.renew(ctx)
	if err != nil && ctx.Err() == nil && !r.Primary.IsZero() && !r.ExpiredAt(n.Now()) && !n.refused(r) {
		return r, nil
	}
	return next, err
}

// good reports whether there is an access token that is not near its end and was not refused.
func (n Renewal) good(r Record) bool {
	return !r.Primary.IsZero() && !r.ExpiredAt(n.Now().Add(n.Early)) && !n.refused(r)
}

func (n Renewal) refused(r Record) bool {
	return !n.Refused.IsZero() && n.Refused.Reveal() == r.Primary.Reveal()
}

func (n Renewal) renew(ctx context.Context) (Record, error) {
	entry, err := n.Keeper.Renew(ctx, n.Key, func(ctx context.Context, entry secret.Value) (secret.Value, error) {
		r, err := n.Read(entry)
		if err != nil {
			return secret.Value{}, err
		}
		if n.good(r) {
			return entry, nil // somebody was faster
		}
		tokens, err := n.Grant(ctx, r)
		if err != nil {
			return secret.Value{}, err
		}
		return r.WithTokens(tokens).Entry(), nil
	})
	if err != nil && entry.IsZero() {
		return Record{}, err
	}
	if err != nil && n.Unkept != nil {
		n.Unkept(err)
	}
	return n.Read(entry)
}
