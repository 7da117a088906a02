package cli

import (
	"context"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sre-go/sre"
	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/disk"
	"github.com/sre-go/sre/subsystem/security/account"
	"github.com/sre-go/sre/value"
)

func (a *app) account() *cobra.Command {
	return a.group("account", "Keep teams, their users and agents",
		"Keeps teams, their users and their agents, for accounts that can be changed: the connector SQLiteAccount. An agent reaches\n"+
			"what belongs to its team; a user may do in a team what its role allows. See also sre token.",
		"  sre account import account.json\n  sre account team add red\n  sre account user add ann --team red --role owner\n  sre account agent add hello --team red",
		a.accountTeam(), a.accountMembers(access.RoleUser), a.accountMembers(access.RoleAgent), a.accountImport(), a.accountVerify())
}

func (a *app) accountTeam() *cobra.Command {
	var settings string
	add := &cobra.Command{
		Use: "add ID", Short: "Make a team, or change its settings", Example: `  sre account team add red --settings '{"plan":"pro"}'`,
		Args: arguments(1, 1, "the id of a team"),
		RunE: func(c *cobra.Command, args []string) error {
			v, err := settingsOf(settings)
			if err != nil {
				return err
			}
			return a.asTeam(c.Context(), args[0], func(_ *sre.Runtime, h *account.Handle) error {
				return a.done(h.PutTeam(c.Context(), v), "team "+args[0]+" is there", value.M("team", value.Of(args[0])))
			})
		},
	}
	add.Flags().StringVar(&settings, "settings", "", "settings of the team, a JSON object; what is there stays without it")
	var members bool
	remove := &cobra.Command{
		Use: "remove ID", Short: "Take a team away, with its tokens", Example: "  sre account team remove red --members",
		Args: arguments(1, 1, "the id of a team"),
		RunE: func(c *cobra.Command, args []string) error {
			return a.asTeam(c.Context(), args[0], func(_ *sre.Runtime, h *account.Handle) error {
				return a.done(h.RemoveTeam(c.Context(), members), "removed team "+args[0], value.M("team", value.Of(args[0])), value.M("removed", value.OfBool(true)))
			})
		},
	}
	remove.Flags().BoolVar(&members, "members", false, "also take its users and agents away")
	remove.ValidArgsFunction = a.completeTeam
	list := &cobra.Command{
		Use: "list", Short: "List the teams", Example: "  sre account team list --json", Args: arguments(0, 0, "no arguments"),
		RunE: func(c *cobra.Command, _ []string) error { return a.listTeams(c.Context()) },
	}
	return a.group("team", "Make, remove and list teams", "", "", add, remove, list)
}

func (a *app) completeTeam(c *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return a.teamNames(c.Context()), cobra.ShellCompDirectiveNoFileComp
}

// done reports a change.
func (a *app) done(err error, text string, members ...value.Member) error {
	switch {
	case err != nil:
		return err
	case a.json:
		return a.show(value.Obj(members...))
	}
	return a.print(text)
}

func (a *app) listTeams(ctx context.Context) error {
	return a.asTeam(ctx, defaultTeam, func(rt *sre.Runtime, _ *account.Handle) error {
		teams, err := rt.Accounts().Teams(ctx)
		if err != nil {
			return err
		}
		rows := make([]row, 0, len(teams))
		for _, id := range teams {
			team, err := access.Team(id)
			if err != nil {
				return err
			}
			members, err := rt.Accounts().For(team).Members(ctx)
			if err != nil {
				return err
			}
			users := len(members) - len(agentsAmong(members))
			rows = append(rows, row{{"team", id}, {"users", strconv.Itoa(users)}, {"agents", strconv.Itoa(len(members) - users)}})
		}
		if len(rows) == 0 && !a.json {
			return a.print("there are no teams: sre account team add ID")
		}
		return a.table(rows)
	})
}

func agentsAmong(members []account.Member) []account.Member {
	var list []account.Member
	for _, m := range members {
		if m.Who.Role() == access.RoleAgent {
			list = append(list, m)
		}
	}
	return list
}

// accountMembers are the commands about the users or the agents of a team.
func (a *app) accountMembers(kind access.Role) *cobra.Command {
	what, article, id := kind.String(), "a ", "ann"
	if kind == access.RoleAgent {
		article, id = "an ", "hello"
	}
	var team, rank, settings string
	add := &cobra.Command{
		Use: "add ID", Short: "Put " + article + what + " into a team, or change it", Example: "  sre account " + what + " add " + id + " --team red",
		Args: arguments(1, 1, "the id of "+article+what),
		RunE: func(c *cobra.Command, args []string) error {
			return a.putMember(c.Context(), team, what, args[0], rank, settings)
		},
	}
	if kind == access.RoleUser {
		add.Example = "  sre account user add ann --team red --role owner"
		add.Flags().StringVar(&rank, "role", "", "viewer, member, admin or owner (a new user is a member)")
		complete(add, "role", []string{"viewer", "member", "admin", "owner"})
	}
	add.Flags().StringVar(&settings, "settings", "", "settings, a JSON object; what is there stays without it")
	remove := &cobra.Command{
		Use: "remove ID", Short: "Take " + article + what + " out of its team", Example: "  sre account " + what + " remove " + id + " --team red",
		Args: arguments(1, 1, "the id of "+article+what),
		RunE: func(c *cobra.Command, args []string) error {
			who, err := access.Parse(what + ":" + args[0])
			if err != nil {
				return usageError{err}
			}
			return a.asTeam(c.Context(), team, func(_ *sre.Runtime, h *account.Handle) error {
				return a.done(h.RemoveMember(c.Context(), who), "removed "+what+" "+args[0]+" from team "+team,
					value.M(what, value.Of(args[0])), value.M("team", value.Of(team)), value.M("removed", value.OfBool(true)))
			})
		},
	}
	list := &cobra.Command{
		Use: "list", Short: "List the " + what + "s of a team", Example: "  sre account " + what + " list --team red", Args: arguments(0, 0, "no arguments"),
		RunE: func(c *cobra.Command, _ []string) error { return a.listMembers(c.Context(), team, kind) },
	}
	for _, c := range []*cobra.Command{add, remove, list} {
		teamOf(a, c, &team, "the team")
	}
	return a.group(what, "Add, remove and list the "+what+"s of a team", "", "", add, remove, list)
}

func (a *app) putMember(ctx context.Context, team, kind, id, rank, settings string) error {
	who, err := access.Parse(kind + ":" + id)
	if err != nil {
		return usageError{err}
	}
	m := account.Member{Who: who}
	if m.Settings, err = settingsOf(settings); err != nil {
		return err
	}
	if rank != "" {
		if m.Rank, err = account.ParseRank(rank); err != nil {
			return usageError{err}
		}
	}
	return a.asTeam(ctx, team, func(_ *sre.Runtime, h *account.Handle) error {
		err := h.PutMembers(ctx, m)
		if fault.Is(err, fault.NotFound) {
			err = fault.Hint(err, "make the team first: sre account team add %s", team)
		}
		return a.done(err, kind+" "+id+" is in team "+team, value.M(kind, value.Of(id)), value.M("team", value.Of(team)))
	})
}

func settingsOf(text string) (value.Value, error) {
	if text == "" {
		return value.Value{}, nil
	}
	v, err := value.Parse(text)
	if err != nil {
		return value.Value{}, usageError{fault.Newf(fault.Invalid, "--settings: %w", err)}
	}
	return v, nil
}

func (a *app) listMembers(ctx context.Context, team string, kind access.Role) error {
	return a.asTeam(ctx, team, func(_ *sre.Runtime, h *account.Handle) error {
		members, err := h.Members(ctx)
		if err != nil {
			return err
		}
		var rows []row
		for _, m := range members {
			switch {
			case m.Who.Role() != kind:
			case kind == access.RoleUser:
				rows = append(rows, row{{"user", m.Who.ID()}, {"role", m.Rank.String()}, {"settings", m.Settings.JSON()}})
			default:
				rows = append(rows, row{{"agent", m.Who.ID()}, {"settings", m.Settings.JSON()}})
			}
		}
		if len(rows) == 0 && !a.json {
			return a.print("team " + team + " has no " + kind.String() + "s")
		}
		return a.table(rows)
	})
}

func (a *app) accountImport() *cobra.Command {
	return &cobra.Command{
		Use: "import FILE", Short: "Take over the teams of an account.json",
		Long: "Takes over the teams, users, agents and settings of an account.json, team by team. Who is there already is changed;\n" +
			"nobody is removed. FILE stays as it is.",
		Example: "  SRE_SERVICE_ACCOUNT=SQLiteAccount sre account import .smyth/account.json", Args: arguments(1, 1, "one file"),
		RunE: func(c *cobra.Command, args []string) error { return a.runAccountImport(c.Context(), args[0]) },
	}
}

func (a *app) runAccountImport(ctx context.Context, file string) error {
	const limit = 64 << 20
	text, err := disk.ReadFile(a.path(file), limit)
	if err != nil {
		return err
	}
	v, err := value.Decode(text, value.Limits{})
	if err != nil {
		return err
	}
	roster, err := account.ParseRoster(v)
	if err != nil {
		return err
	}
	return a.asTeam(ctx, defaultTeam, func(rt *sre.Runtime, _ *account.Handle) error {
		var rows []row
		for _, id := range roster.Teams() {
			team, err := access.Team(id)
			if err != nil {
				return err
			}
			h, members := rt.Accounts().For(team), roster.Members(id)
			err = h.PutTeam(ctx, roster.Settings(team))
			if err == nil {
				err = h.PutMembers(ctx, members...)
			}
			if err != nil {
				return fault.Hint(err, "%d of %d teams were taken over before: mend this and import again", len(rows), len(roster.Teams()))
			}
			agents := len(agentsAmong(members))
			rows = append(rows, row{{"team", id}, {"users", strconv.Itoa(len(members) - agents)}, {"agents", strconv.Itoa(agents)}})
		}
		return a.table(rows)
	})
}

func (a *app) accountVerify() *cobra.Command {
	return &cobra.Command{
		Use: "verify", Short: "Look for damage in the accounts and API tokens",
		Long: "Reads everything that the accounts hold, and names what is damaged. What is damaged counts for nothing; the rest goes on.",
		Args: arguments(0, 0, "no arguments"), Example: "  sre account verify",
		RunE: func(c *cobra.Command, _ []string) error {
			return a.asTeam(c.Context(), defaultTeam, func(rt *sre.Runtime, _ *account.Handle) error {
				damaged, err := rt.Accounts().Verify(c.Context())
				if err == nil && len(damaged) > 0 {
					err = &fault.Error{
						Op: "account.verify", Kind: fault.Internal, Code: "RECORD_DAMAGED", Hint: "restore the file from a copy, or remove and add what is named",
						Err: fault.Newf(fault.Internal, "damaged: %s", strings.Join(damaged, ", ")),
					}
				}
				return a.done(err, "no damage was found", value.M("damaged", value.List()))
			})
		},
	}
}
