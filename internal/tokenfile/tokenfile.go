// Package tokenfile keeps API tokens in one file beside accounts that have no place for them.
//
// The file holds hashes, one record to a line, each with a checksum. What is
// damaged is named and counts for nothing, what is whole goes on working; a change
// never throws away what it could not read. It is replaced at once or not at all,
// and is for its owner alone: who may write it could let anybody in.
package tokenfile

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
	"sync"
	"time"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/disk"
	"github.com/sre-go/sre/internal/limits"
	"github.com/sre-go/sre/subsystem/security/account"
)

// Name is the name of the file in the data folder.
const Name = "tokens.json"

// CodeUnsafe is the code of errors about a file that others may change.
const CodeUnsafe = "CONFIG_UNSAFE"

// maxTokens bounds the number of records in the file.
const maxTokens = 10_000

// Config says where the file is.
type Config struct {
	Dir     string // the data folder; "" keeps no tokens
	Effects effect.Source
	Log     *slog.Logger // nil for no log
	// Folders opens the data folder, and makes it where that is asked for; nil for those of the machine.
	Folders func(dir string, create bool) (disk.Small, error)
}

// File is the file, as connectors of accounts embed it. It is safe for concurrent use, also by several processes, and
// needs no closing. The file appears with the first token.
type File struct {
	config Config
	writes sync.Mutex // held while the file is changed
}

var (
	_ account.Tokens   = (*File)(nil)
	_ account.Verifier = (*File)(nil)
)

// New returns the tokens of a data folder, without looking at it.
func New(c Config) *File {
	if c.Folders == nil {
		c.Folders = disk.OpenSmall
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return &File{config: c}
}

func limit() int64 { return int64(limits.Default().JSONBytes) }

// markNone is the mark of a file that is not there.
const markNone = "none"

// LoadTokens implements [account.Tokens].
func (f *File) LoadTokens(_ context.Context, mark string) (account.TokenSet, error) {
	text, found, err := f.read()
	if err != nil {
		return account.TokenSet{}, err
	}
	if !found {
		return account.TokenSet{Mark: markNone}, nil
	}
	sum := sha256.Sum256(text)
	set := account.TokenSet{Mark: hex.EncodeToString(sum[:])}
	if set.Mark != mark {
		c := parse(text)
		set.Tokens, set.Damaged = c.tokens(), c.damaged()
	}
	return set, nil
}

// read returns the text of the file, and whether there is one.
func (f *File) read() (text []byte, found bool, err error) {
	if f.config.Dir == "" {
		return nil, false, nil
	}
	folder, err := f.config.Folders(f.config.Dir, false)
	if err == nil {
		defer func() { _ = folder.Close() }() // nothing was written
		text, err = readSafe(folder)
	}
	if fault.Is(err, fault.NotFound) {
		return nil, false, nil
	}
	return text, err == nil, err
}

func readSafe(folder disk.Small) ([]byte, error) {
	text, exposed, err := folder.Read(Name, limit())
	if err == nil && exposed {
		err = &fault.Error{
			Op: "tokens.read", Resource: Name, Kind: fault.Invalid, Code: CodeUnsafe, Hint: "look at it, then take the rights of others away: chmod 600 " + Name,
			Err: fault.Newf(fault.Invalid, CodeUnsafe+": the file may be read or changed by other users of this machine"),
		}
	}
	return text, err
}

// Verify implements [account.Verifier].
func (f *File) Verify(ctx context.Context) ([]string, error) {
	set, err := f.LoadTokens(ctx, "")
	return set.Damaged, err
}

// Check reports whether the file can be read. Damaged records do not make a runtime unfit: [File.Verify] names them.
func (f *File) Check(context.Context) error {
	_, _, err := f.read()
	return err
}

// PutToken implements [account.Tokens].
func (f *File) PutToken(ctx context.Context, g access.Grant[access.Write], t account.Stored) error {
	if err := inTeam(g, t.Team); err != nil {
		return err
	}
	return f.edit(ctx, func(c *content) error {
		if c.find(t.ID) != nil {
			return fault.Newf(fault.Conflict, "there is a token with this id")
		}
		if len(c.records) >= maxTokens && !c.dropWorthless(t.Created) {
			err := fault.Limitf("tokens", "at most %d API tokens are kept", maxTokens)
			return fault.Hint(err, "revoke those that nobody needs any more")
		}
		c.add(t)
		return nil
	})
}

// RevokeToken implements [account.Tokens].
func (f *File) RevokeToken(ctx context.Context, g access.Grant[access.Write], id string, at time.Time) error {
	return f.edit(ctx, func(c *content) error {
		r := c.find(id)
		if r == nil || r.broken != "" || inTeam(g, r.token.Team) != nil {
			return fault.Newf(fault.NotFound, "there is no such token")
		}
		if r.token.Revoked.IsZero() {
			r.token.Revoked = at
		}
		return nil
	})
}

// MarkTokens implements [account.Tokens].
func (f *File) MarkTokens(ctx context.Context, used map[string]time.Time) error {
	if len(used) == 0 {
		return nil
	}
	return f.edit(ctx, func(c *content) error {
		for i := range c.records {
			if r := &c.records[i]; r.broken == "" && used[r.token.ID].After(r.token.Used) {
				r.token.Used = used[r.token.ID]
			}
		}
		return nil
	})
}

func inTeam(g interface{ Resource() string }, team string) error {
	owner, err := access.Parse(g.Resource())
	if err == nil && (owner.Role() != access.RoleTeam || owner.ID() != team) {
		err = fault.Newf(fault.Denied, "the token is not one of %s", owner)
	}
	return err
}
