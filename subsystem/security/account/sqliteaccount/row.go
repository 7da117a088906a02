package sqliteaccount

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/sqlite"
	"github.com/sre-go/sre/subsystem/security/account"
)

// reader is a database, or a transaction in it.
type reader interface {
	Row(ctx context.Context, query string, args []any, dest ...any) error
}

var (
	_ reader = (*sqlite.DB)(nil)
	_ reader = (*sqlite.Tx)(nil)
)

// row is a user or an agent.
type row struct {
	kind, id string
	team     string
	rank     account.Rank
	settings string
}

// columns are what scan reads of a member, with a rank that fits whatever damage has made of it.
const columns = "kind, id, team, COALESCE(CAST(rank AS INTEGER), -1), settings, mark"

// scan reads the columns of a member, and reports whether they are what was written.
func (r *row) scan(read func(dest ...any) error) (whole bool, err error) {
	var stored string
	var rank int64
	if err := read(&r.kind, &r.id, &r.team, &rank, &r.settings, &stored); err != nil {
		return false, err
	}
	if rank < 0 || rank > int64(account.RankOwner) {
		return false, nil
	}
	r.rank = account.Rank(rank)
	return stored == r.mark(), nil
}

// mark is the checksum of fields. It finds damage, not forgery.
func mark(fields ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(fields, "\x00")))
	return hex.EncodeToString(sum[:16])
}

func (r *row) mark() string {
	return mark("member", r.kind, r.id, r.team, strconv.Itoa(int(r.rank)), r.settings)
}

func teamMark(id, settings string) string { return mark("team", id, settings) }

// damaged says that a row is not what was written.
func damaged(what string) error {
	return &fault.Error{
		Op: "account.read", Resource: what, Kind: fault.Internal, Code: sqlite.CodeDamaged,
		Err: fmt.Errorf("the record is damaged"), Hint: "restore account.db from a copy, or remove and add " + what + "; sre account verify lists all damage",
	}
}

// team returns the settings of a team. One that is not there is [fault.NotFound].
func (a *accounts) team(ctx context.Context, r reader, id string) (settings string, err error) {
	var stored string
	err = r.Row(ctx, "SELECT settings, mark FROM team WHERE id = ?", []any{id}, &settings, &stored)
	switch {
	case fault.Is(err, fault.NotFound):
		return "", fault.Newf(fault.NotFound, "there is no team %s", id)
	case err != nil:
		return "", err
	case stored != teamMark(id, settings):
		return "", damaged("team:" + id)
	}
	return settings, nil
}

// member returns a user or an agent. One that is not there is [fault.NotFound]; one whose row is damaged is returned with
// the error.
func (a *accounts) member(ctx context.Context, r reader, c access.Candidate) (row, error) {
	var m row
	whole, err := m.scan(func(dest ...any) error {
		return r.Row(ctx, "SELECT "+columns+" FROM member WHERE kind = ? AND id = ?", []any{c.Role().String(), c.ID()}, dest...)
	})
	switch {
	case fault.Is(err, fault.NotFound):
		return row{}, fault.Newf(fault.NotFound, "no account lists %s", c)
	case err != nil:
		return row{}, err
	case !whole:
		return m, damaged(c.String())
	}
	return m, nil
}

// teamOf returns the team that a grant names.
func teamOf(g interface{ Resource() string }) (string, error) {
	c, err := access.Parse(g.Resource())
	if err == nil && c.Role() != access.RoleTeam {
		err = fault.Newf(fault.Internal, "%s is no team", c)
	}
	return c.ID(), err
}
