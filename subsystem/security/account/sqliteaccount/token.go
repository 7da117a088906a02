package sqliteaccount

import (
	"context"
	"strconv"
	"time"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/sqlite"
	"github.com/sre-go/sre/subsystem/security/account"
	"github.com/sre-go/sre/value"
)

// LoadTokens implements [account.Tokens].
func (a *accounts) LoadTokens(ctx context.Context, mark string) (account.TokenSet, error) {
	var count int64
	if err := a.db.Row(ctx, "SELECT count FROM change WHERE what = 'token'", nil, &count); err != nil {
		return account.TokenSet{}, err
	}
	set := account.TokenSet{Mark: strconv.FormatInt(count, 10)} // read first: a change in between is seen the next time
	if set.Mark == mark {
		return set, nil
	}
	for rows, err := range a.db.Rows(ctx, "SELECT id, team, holder, record, COALESCE(CAST(used AS INTEGER), 0) FROM token ORDER BY id") {
		if err != nil {
			return account.TokenSet{}, err
		}
		var id, team, holder, record string
		var used int64
		if err := rows.Scan(&id, &team, &holder, &record, &used); err != nil {
			return account.TokenSet{}, err
		}
		t, err := parse(record)
		if err != nil || t.ID != id || t.Team != team || t.User != holder {
			set.Damaged = append(set.Damaged, id)
			continue
		}
		if used > 0 {
			t.Used = time.Unix(used, 0).UTC()
		}
		set.Tokens = append(set.Tokens, t)
	}
	return set, nil
}

func parse(record string) (account.Stored, error) {
	v, err := value.Parse(record)
	if err != nil {
		return account.Stored{}, err
	}
	return account.ParseRecord(v)
}

// maxTokens bounds the number of tokens of one team.
const maxTokens = 10_000

// PutToken implements [account.Tokens].
func (a *accounts) PutToken(ctx context.Context, g access.Grant[access.Write], t account.Stored) error {
	team, err := teamOf(g)
	if err != nil {
		return err
	}
	if t.Team != team {
		return fault.Newf(fault.Denied, "the token is not one of team %s", team)
	}
	return a.db.Write(ctx, func(tx *sqlite.Tx) error {
		if _, err := a.team(ctx, tx, team); err != nil {
			return err
		}
		var n int
		if err := tx.Row(ctx, "SELECT count(*) FROM token WHERE team = ?", []any{team}, &n); err != nil {
			return err
		}
		if n >= maxTokens {
			return fault.Limitf("tokens", "team %s has %d API tokens, more are not kept", team, n)
		}
		record := t.Record()
		if _, err := tx.Exec(ctx, "INSERT INTO token (id, team, holder, record) VALUES (?, ?, ?, ?)", t.ID, team, t.User, record.JSON()); err != nil {
			return err
		}
		return a.changed(ctx, tx)
	})
}

// RevokeToken implements [account.Tokens].
func (a *accounts) RevokeToken(ctx context.Context, g access.Grant[access.Write], id string, at time.Time) error {
	team, err := teamOf(g)
	if err != nil {
		return err
	}
	return a.db.Write(ctx, func(tx *sqlite.Tx) error {
		var record string
		err := tx.Row(ctx, "SELECT record FROM token WHERE id = ? AND team = ?", []any{id, team}, &record)
		if fault.Is(err, fault.NotFound) {
			return fault.Newf(fault.NotFound, "there is no such token")
		}
		if err != nil {
			return err
		}
		t, err := parse(record)
		if err != nil {
			return damaged("token:" + id)
		}
		if !t.Revoked.IsZero() {
			return nil
		}
		t.Revoked = at
		next := t.Record()
		if _, err := tx.Exec(ctx, "UPDATE token SET record = ? WHERE id = ?", next.JSON(), id); err != nil {
			return err
		}
		return a.changed(ctx, tx)
	})
}

// MarkTokens implements [account.Tokens].
func (a *accounts) MarkTokens(ctx context.Context, used map[string]time.Time) error {
	if len(used) == 0 {
		return nil
	}
	return a.db.Write(ctx, func(tx *sqlite.Tx) error {
		for id, at := range used {
			if _, err := tx.Exec(ctx, "UPDATE token SET used = ? WHERE id = ? AND used < ?", at.Unix(), id, at.Unix()); err != nil {
				return err
			}
		}
		return nil
	})
}

func (a *accounts) dropTokens(ctx context.Context, tx *sqlite.Tx, stmt string, args ...any) error {
	n, err := tx.Exec(ctx, stmt, args...)
	if err != nil || n == 0 {
		return err
	}
	return a.changed(ctx, tx)
}

// changed tells every process that the tokens are not what they were.
func (a *accounts) changed(ctx context.Context, tx *sqlite.Tx) error {
	_, err := tx.Exec(ctx, "UPDATE change SET count = count + 1 WHERE what = 'token'")
	return err
}
