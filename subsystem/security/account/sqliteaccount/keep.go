package sqliteaccount

import (
	"context"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/sqlite"
	"github.com/sre-go/sre/subsystem/security/account"
	"github.com/sre-go/sre/value"
)

// Teams implements [account.Keeper].
func (a *accounts) Teams(ctx context.Context) ([]string, error) {
	var ids []string
	for rows, err := range a.db.Rows(ctx, "SELECT id FROM team ORDER BY id") {
		if err != nil {
			return nil, err
		}
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, nil
}

// Members implements [account.Keeper]. Damaged rows are left out; Verify names them.
func (a *accounts) Members(ctx context.Context, g access.Grant[access.Read]) ([]account.Member, error) {
	team, err := teamOf(g)
	if err != nil {
		return nil, err
	}
	if _, err := a.team(ctx, a.db, team); err != nil {
		return nil, err
	}
	var list []account.Member
	for rows, err := range a.db.Rows(ctx, "SELECT "+columns+" FROM member WHERE team = ? ORDER BY kind DESC, id", team) {
		if err != nil {
			return nil, err
		}
		var r row
		whole, err := r.scan(rows.Scan)
		if err != nil {
			return nil, err
		}
		if m, ok := r.describe(); ok && whole {
			list = append(list, m)
		}
	}
	return list, nil
}

func (r *row) describe() (account.Member, bool) {
	who, err := access.Parse(r.kind + ":" + r.id)
	if err != nil {
		return account.Member{}, false
	}
	settings, err := value.Parse(r.settings)
	return account.Member{Who: who, Rank: r.rank, Settings: settings}, err == nil
}

// PutTeam implements [account.Keeper].
func (a *accounts) PutTeam(ctx context.Context, g access.Grant[access.Write], settings value.Value) error {
	team, err := teamOf(g)
	if err != nil {
		return err
	}
	return a.db.Write(ctx, func(tx *sqlite.Tx) error {
		text := settings.JSON()
		if settings.IsAbsent() {
			text, err = a.team(ctx, tx, team)
			if fault.Is(err, fault.NotFound) {
				text, err = "{}", nil
			}
			if err != nil {
				return err
			}
		}
		_, err := tx.Exec(ctx, "INSERT INTO team (id, settings, mark) VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET settings = excluded.settings, mark = excluded.mark",
			team, text, teamMark(team, text))
		return err
	})
}

// PutMembers implements [account.Keeper].
func (a *accounts) PutMembers(ctx context.Context, g access.Grant[access.Write], members []account.Member, limit account.Rank) error {
	team, err := teamOf(g)
	if err != nil {
		return err
	}
	return a.db.Write(ctx, func(tx *sqlite.Tx) error {
		if _, err := a.team(ctx, tx, team); err != nil {
			return err
		}
		for _, m := range members {
			if err := a.put(ctx, tx, team, m, limit); err != nil {
				return err
			}
		}
		return nil
	})
}

func (a *accounts) put(ctx context.Context, tx *sqlite.Tx, team string, m account.Member, limit account.Rank) error {
	r, err := a.member(ctx, tx, m.Who)
	switch {
	case fault.Is(err, fault.NotFound):
		r = row{kind: m.Who.Role().String(), id: m.Who.ID(), team: team, settings: "{}"}
		if m.Who.Role() == access.RoleUser {
			r.rank = account.RankMember
		}
	case err != nil:
		return err
	case r.team != team:
		err := fault.Newf(fault.Conflict, "%s belongs to another team", m.Who)
		return fault.Hint(err, "remove it there first")
	case r.rank > limit:
		return above(m.Who, r.rank)
	}
	if m.Rank != account.RankNone {
		r.rank = m.Rank
	}
	if r.rank > limit {
		return above(m.Who, r.rank)
	}
	if !m.Settings.IsAbsent() {
		r.settings = m.Settings.JSON()
	}
	_, err = tx.Exec(ctx, "INSERT INTO member (kind, id, team, rank, settings, mark) VALUES (?, ?, ?, ?, ?, ?) "+
		"ON CONFLICT (kind, id) DO UPDATE SET team = excluded.team, rank = excluded.rank, settings = excluded.settings, mark = excluded.mark",
		r.kind, r.id, r.team, int(r.rank), r.settings, r.mark())
	return err
}

func above(who access.Candidate, rank account.Rank) error {
	return fault.Hint(fault.Newf(fault.Denied, "%s is or would be %s of the team", who, rank), "only somebody of that role, or the operator, may do that")
}

// RemoveMember implements [account.Keeper].
func (a *accounts) RemoveMember(ctx context.Context, g access.Grant[access.Write], who access.Candidate, limit account.Rank) error {
	team, err := teamOf(g)
	if err != nil {
		return err
	}
	return a.db.Write(ctx, func(tx *sqlite.Tx) error {
		r, err := a.member(ctx, tx, who)
		broken := err != nil && !fault.Is(err, fault.NotFound) && r.id != ""
		switch {
		case broken && limit < account.RankOwner: // nobody knows what the rank was
			return err
		case err != nil && !broken:
			return err
		case r.team != team:
			return fault.Newf(fault.NotFound, "%s is not in team %s", who, team)
		case !broken && r.rank > limit:
			return above(who, r.rank)
		}
		if _, err := tx.Exec(ctx, "DELETE FROM member WHERE kind = ? AND id = ? AND team = ?", r.kind, r.id, team); err != nil {
			return err
		}
		if who.Role() != access.RoleUser {
			return nil
		}
		return a.dropTokens(ctx, tx, "DELETE FROM token WHERE team = ? AND holder = ?", team, who.ID())
	})
}

// RemoveTeam implements [account.Keeper].
func (a *accounts) RemoveTeam(ctx context.Context, g access.Grant[access.Owner], withMembers bool) error {
	team, err := teamOf(g)
	if err != nil {
		return err
	}
	return a.db.Write(ctx, func(tx *sqlite.Tx) error {
		var members int
		if err := tx.Row(ctx, "SELECT count(*) FROM member WHERE team = ?", []any{team}, &members); err != nil {
			return err
		}
		if members > 0 && !withMembers {
			err := fault.Newf(fault.Conflict, "team %s has %d members", team, members)
			return fault.Hint(err, "remove them first, or take them away with the team: --members")
		}
		if _, err := tx.Exec(ctx, "DELETE FROM member WHERE team = ?", team); err != nil {
			return err
		}
		if err := a.dropTokens(ctx, tx, "DELETE FROM token WHERE team = ?", team); err != nil {
			return err
		}
		n, err := tx.Exec(ctx, "DELETE FROM team WHERE id = ?", team)
		if err == nil && n == 0 {
			err = fault.Newf(fault.NotFound, "there is no team %s", team)
		}
		return err
	})
}

// Verify implements [account.Verifier].
func (a *accounts) Verify(ctx context.Context) ([]string, error) {
	if err := a.db.Verify(ctx); err != nil {
		return nil, err
	}
	var names []string
	for rows, err := range a.db.Rows(ctx, "SELECT id, settings, mark FROM team ORDER BY id") {
		if err != nil {
			return nil, err
		}
		var id, settings, stored string
		if err := rows.Scan(&id, &settings, &stored); err != nil {
			return nil, err
		}
		if stored != teamMark(id, settings) {
			names = append(names, "team:"+id)
		}
	}
	for rows, err := range a.db.Rows(ctx, "SELECT "+columns+" FROM member ORDER BY kind DESC, id") {
		if err != nil {
			return nil, err
		}
		var r row
		whole, err := r.scan(rows.Scan)
		if err != nil {
			return nil, err
		}
		if _, ok := r.describe(); !ok || !whole {
			names = append(names, r.kind+":"+r.id)
		}
	}
	set, err := a.LoadTokens(ctx, "")
	for _, name := range set.Damaged {
		names = append(names, "token:"+name)
	}
	return names, err
}
