// Package cli is the command line: one file a command, all over package sre.
//
// A command says what went wrong, where, and what to do about it, and ends with
// an exit code that tells the kind of the error: see package fault. With --json
// every command prints one JSON value that scripts can read.
package cli

import (
	"context"
	"errors"
	"io"
	"log/slog"

	"github.com/spf13/cobra"

	"github.com/sre-go/sre"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/schema"
	"github.com/sre-go/sre/secret"
	"github.com/sre-go/sre/subsystem/observe/logsink"
	"github.com/sre-go/sre/value"
)

// Machine is what a command has around it. Tests give their own.
type Machine struct {
	In         io.Reader
	Out, Err   io.Writer
	Getenv     func(string) string
	Work       string      // the working folder
	Home       string      // the user's home folder, empty when there is none
	Terminal   bool        // Out is a terminal
	Interrupts *Interrupts // what Ctrl-C means while something goes on; nil to end the command
	// Ask shows a question at the terminal and reads the answer without showing it; nil when standard input is none.
	Ask       func(ctx context.Context, question string) (secret.Value, error)
	Version   string
	BuildInfo string
}

// usageError is wrong usage of a command; its exit code is 2.
type usageError struct{ err error }

func (e usageError) Error() string { return e.err.Error() }
func (e usageError) Unwrap() error { return e.err }

const exitUsage = 2

// app is one invocation.
type app struct {
	Machine
	set  sre.Set
	json bool
	dir  string
	logs string
}

// Main runs a command and returns its exit code.
func Main(ctx context.Context, set sre.Set, m Machine, args []string) int {
	a := &app{Machine: m, set: set}
	root := a.root()
	root.SetArgs(args)
	root.SetIn(m.In)
	root.SetOut(m.Out)
	root.SetErr(m.Err)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	a.fail(err)
	var usage usageError
	if errors.As(err, &usage) {
		return exitUsage
	}
	return fault.KindOf(err).ExitCode()
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "sre",
		Short: "Runs AI agents: download one file, type one command.",
		Long: "sre runs agents written as .smyth files: from the command line, over HTTP, and inside of other programs.\n" +
			"It needs no server and no configuration to begin with; `sre doctor` says what it found.",
		Example:       "  sre agent hello.smyth --skill greet name=Ada\n  sre serve hello.smyth\n  sre validate *.smyth",
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				return c.Help()
			}
			var names []string
			for _, sub := range c.Commands() {
				names = append(names, sub.Name())
			}
			return usageError{fault.New(fault.Invalid, schema.UnknownName("command", args[0], names))}
		},
	}
	root.CompletionOptions.HiddenDefaultCmd = false
	root.SetFlagErrorFunc(badFlag)
	f := root.PersistentFlags()
	f.BoolVar(&a.json, "json", false, "print JSON that scripts can read")
	f.StringVar(&a.dir, "dir", "", "data folder, instead of the .smyth that is found")
	f.StringVar(&a.logs, "log-level", "", "what to report on standard error: error, warn, info or debug (default warn; $LOG_LEVEL)")
	root.AddCommand(a.agent(), a.serve(), a.validate(), a.describe(), a.export(), a.importAgents(), a.list(), a.boot(), a.doctor(), a.vault(), a.audit(), a.account(), a.tokens(), a.oauth(), a.usage(), a.models(), a.testmodel(), a.chats(), a.schedules(), a.mcp(), a.version())
	return root
}

// arguments checks the number of arguments and explains what they are.
func arguments(least, most int, what string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) < least || most >= 0 && len(args) > most {
			err := fault.Newf(fault.Invalid, "%s wants %s, got %d arguments", c.CommandPath(), what, len(args))
			return usageError{fault.Hint(err, "see %s --help", c.CommandPath())}
		}
		return nil
	}
}

// start boots a runtime with the configuration of the machine.
func (a *app) start(ctx context.Context, opts ...sre.Option) (*sre.Runtime, error) {
	log, err := a.logger()
	if err != nil {
		return nil, err
	}
	all := []sre.Option{sre.WithMachine(a.Work, a.Home, a.Getenv), sre.WithLog(log), sre.WithPrompt(a.Ask)}
	if a.dir != "" {
		all = append(all, sre.WithDir(a.dir))
	}
	return sre.Start(ctx, a.set, append(all, opts...)...)
}

// stop closes a runtime at the end of a command.
func (a *app) stop(rt *sre.Runtime, err *error) {
	if closing := rt.Close(context.Background()); *err == nil {
		*err = closing
	}
}

func (a *app) logger() (*slog.Logger, error) {
	name := a.logs
	if name == "" {
		name = a.Getenv("LOG_LEVEL")
	}
	level := slog.LevelWarn
	switch name {
	case "", "none", "warn":
	case "error":
		level = slog.LevelError
	case "info", "min":
		level = slog.LevelInfo
	case "debug", "full":
		level = slog.LevelDebug
	default:
		return nil, usageError{fault.Newf(fault.Invalid, "--log-level is error, warn, info or debug, not %q", name)}
	}
	return slog.New(logsink.NewHandler(a.Err, logsink.Options{Level: level, People: a.Terminal, Colour: a.Terminal && a.Getenv("NO_COLOR") == ""})), nil
}

// fail prints an error for people, or as JSON.
func (a *app) fail(err error) {
	if a.json {
		v := value.Obj(value.M("error", value.Of(err.Error())), value.M("code", value.Of(fault.CodeOf(err))))
		_, _ = io.WriteString(a.Err, escaped(v.JSON())+"\n")
		return
	}
	_, _ = io.WriteString(a.Err, "sre: "+harmless(err.Error())+"\n") // it may quote a provider
}

// show prints a value: as one line of JSON with --json, else indented, and a text as it is, but for what would steer a
// terminal.
func (a *app) show(v value.Value) error {
	text := escaped(v.Indent("  "))
	if a.json {
		text = escaped(v.JSON())
	} else if s, ok := v.Str(); ok {
		if text = s; a.Terminal {
			text = harmless(s)
		}
	}
	_, err := io.WriteString(a.Out, text+"\n")
	return err
}

// print writes lines for people.
func (a *app) print(lines ...string) error {
	for _, l := range lines {
		if _, err := io.WriteString(a.Out, l+"\n"); err != nil {
			return err
		}
	}
	return nil
}
