package cli

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/sre-go/sre"
	"github.com/sre-go/sre/internal/conversation"
	"github.com/sre-go/sre/subsystem/llm/llm"
	"github.com/sre-go/sre/value"
)

// lastChat stands for the conversation that changed last.
const lastChat = "last"

func (a *app) chats() *cobra.Command {
	c := &cobra.Command{
		Use: "chat", Short: "Show and delete the conversations that are kept",
		Long: "Conversations of `sre agent FILE --chat` and of users of the server are kept in the data folder. Each belongs to a user of a\n" +
			"team with an agent; this command is the operator's and sees them all. `sre agent FILE --chat --resume ID` goes on with one.",
		Example: "  sre chat list\n  sre chat show conv_…\n  sre chat delete conv_…",
		Args:    arguments(0, 0, "list, show or delete"),
	}
	c.AddCommand(a.chatsList(), a.chatsShow(), a.chatsDelete())
	return c
}

func (a *app) chatsList() *cobra.Command {
	var agent string
	var limit int
	c := &cobra.Command{
		Use: "list", Short: "List the conversations, the last one first", Args: arguments(0, 0, "no arguments"),
		RunE: func(c *cobra.Command, _ []string) error {
			return a.withRuntime(c.Context(), func(ctx context.Context, rt *sre.Runtime) error {
				list, err := rt.Chats(ctx, agent, time.Time{}, limit)
				if err != nil {
					return err
				}
				rows := make([]row, len(list))
				for i, chat := range list {
					rows[i] = row{
						{"id", chat.ID}, {"agent", chat.Owner.Agent}, {"user", chat.Owner.User}, {"changed", chat.Changed.Format(time.RFC3339)},
						{"messages", strconv.Itoa(chat.Entries)}, {"title", harmless(clipLine(chat.Title))},
					}
				}
				if len(rows) == 0 && !a.json {
					return a.print("no conversation is kept")
				}
				return a.table(rows)
			})
		},
	}
	c.Flags().StringVar(&agent, "agent", "", "with one agent")
	c.Flags().IntVar(&limit, "limit", 50, "how many at most, 1000 at once")
	return c
}

func (a *app) chatsShow() *cobra.Command {
	return &cobra.Command{
		Use: "show ID", Short: "Show what was said in a conversation", Args: arguments(1, 1, "the id of a conversation"),
		ValidArgsFunction: a.chatIDs,
		RunE: func(c *cobra.Command, args []string) error {
			return a.withRuntime(c.Context(), func(ctx context.Context, rt *sre.Runtime) error {
				chat, entries, err := rt.ReadChat(ctx, args[0])
				if err != nil {
					return err
				}
				if a.json {
					return a.show(chatValue(chat, entries))
				}
				for _, e := range entries {
					if err := a.print(a.entryText(e)); err != nil {
						return err
					}
				}
				return nil
			})
		},
	}
}

func (a *app) chatsDelete() *cobra.Command {
	return &cobra.Command{
		Use: "delete ID...", Short: "Delete conversations and all that was said in them", Args: arguments(1, -1, "ids of conversations"),
		ValidArgsFunction: a.chatIDs,
		RunE: func(c *cobra.Command, args []string) error {
			return a.withRuntime(c.Context(), func(ctx context.Context, rt *sre.Runtime) error {
				for _, id := range args {
					if err := rt.DeleteChat(ctx, id); err != nil {
						return err
					}
					a.hint("deleted " + id)
				}
				return nil
			})
		},
	}
}

// withRuntime starts a runtime for f.
func (a *app) withRuntime(ctx context.Context, f func(context.Context, *sre.Runtime) error) (err error) {
	rt, err := a.start(ctx)
	if err != nil {
		return err
	}
	defer a.stop(rt, &err)
	return f(ctx, rt)
}

func (a *app) chatIDs(c *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	var ids []string
	_ = a.withRuntime(c.Context(), func(ctx context.Context, rt *sre.Runtime) error {
		list, err := rt.Chats(ctx, "", time.Time{}, 50)
		for _, chat := range list {
			ids = append(ids, chat.ID+"\t"+chat.Title)
		}
		return err
	})
	return ids, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
}

// entryText is an entry for people.
func (a *app) entryText(e conversation.Entry) string {
	var lines []string
	for _, part := range e.Message.Content {
		switch p := part.(type) {
		case llm.Text:
			if e.Message.Role == llm.User {
				lines = append(lines, a.paint().bold("> "+harmless(p.Text)))
			} else {
				lines = append(lines, harmless(p.Text))
			}
		case llm.ToolCall:
			lines = append(lines, a.paint().dim("· "+harmless(p.Name+" "+clipLine(p.Arguments))))
		case llm.ToolResult:
			lines = append(lines, a.paint().dim("  → "+harmless(clipLine(p.Text))))
		case llm.File:
			lines = append(lines, a.paint().dim("[file "+harmless(p.Name)+" "+harmless(p.MIME)+"]"))
		case llm.Image:
			lines = append(lines, a.paint().dim("[image]"))
		}
	}
	return strings.Join(lines, "\n")
}

// chatValue is a conversation for scripts.
func chatValue(chat sre.KeptChat, entries []conversation.Entry) value.Value {
	list := make([]value.Value, len(entries))
	for i, e := range entries {
		b := value.NewBuilder(5)
		b.Add("id", value.Of(e.ID))
		b.Add("role", value.Of(string(e.Message.Role)))
		b.Add("at", value.Of(e.At.UTC().Format(time.RFC3339)))
		b.Add("text", value.Of(e.Message.Text()))
		var calls, results []value.Value
		for _, part := range e.Message.Content {
			switch p := part.(type) {
			case llm.ToolCall:
				calls = append(calls, value.Obj(value.M("id", value.Of(p.ID)), value.M("name", value.Of(p.Name)), value.M("arguments", value.Of(p.Arguments))))
			case llm.ToolResult:
				results = append(results, value.Obj(value.M("id", value.Of(p.CallID)), value.M("name", value.Of(p.Name)), value.M("text", value.Of(p.Text)), value.M("failed", value.OfBool(p.Failed))))
			}
		}
		if len(calls) > 0 {
			b.Add("calls", value.OfItems(calls))
		}
		if len(results) > 0 {
			b.Add("results", value.OfItems(results))
		}
		list[i] = b.Build()
	}
	return value.Obj(
		value.M("id", value.Of(chat.ID)), value.M("team", value.Of(chat.Owner.Team)), value.M("agent", value.Of(chat.Owner.Agent)),
		value.M("user", value.Of(chat.Owner.User)), value.M("model", value.Of(chat.Model)), value.M("entries", value.OfItems(list)),
	)
}

// recalled is how much of a conversation is shown when it goes on, in entries.
const recalled = 6

// recall shows the end of what was said before.
func (c *chatting) recall(entries []conversation.Entry) {
	if len(entries) > recalled {
		c.note("… " + strconv.Itoa(len(entries)-recalled) + " messages before")
		entries = entries[len(entries)-recalled:]
	}
	for _, e := range entries {
		if text := c.app.entryText(e); text != "" && !e.Internal {
			_, _ = c.app.Err.Write([]byte(text + "\n"))
		}
	}
}

// wayBack says how to go on with the conversation later.
func (c *chatting) wayBack() {
	if id := c.chat.ID(); id != "" && len(c.chat.Entries()) > 0 && !c.flags.forget {
		c.app.hint("go on with: sre agent " + c.file + " --chat --resume=" + id)
	}
}
