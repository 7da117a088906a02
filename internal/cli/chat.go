package cli

import (
	"bufio"
	"context"
	"errors"
	"io"
	"path/filepath"
	"strings"
	"time"

	"github.com/sre-go/sre"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/disk"
	"github.com/sre-go/sre/internal/limits"
	"github.com/sre-go/sre/subsystem/llm/llm"
	"github.com/sre-go/sre/value"
)

// modelFlags say which model is asked, and how.
type modelFlags struct {
	model  string
	prompt string
	chat   bool
	mode   string
	files  []string // shown to the model with the prompt
	base   string   // address of a server that speaks OpenAI's interface
	schema string   // file of the form of the answer
	resume string   // id of a conversation, or "last"
	forget bool     // keep nothing
	mcp    []string // servers of the configuration whose tools are offered
}

// options are what the flags say about a conversation. One that is held line by line is kept, so that it can be resumed;
// a single prompt is kept when it goes on with one.
func (f modelFlags) options() sre.ChatOptions {
	o := sre.ChatOptions{Model: f.id(), User: localUser, Resume: f.resume, Keep: f.chat && !f.forget}
	if f.mode != "default" {
		o.Mode = sre.Mode(f.mode)
	}
	return o
}

// id is the model that is asked: one of the server that is named, or one of the catalogue.
func (f modelFlags) id() string {
	if f.base == "" || f.model == "" {
		return f.model
	}
	return "openai-compatible/" + f.model
}

// server is the server that is named, as an option of the runtime.
func (f modelFlags) server() []sre.Option {
	if f.base == "" {
		return nil
	}
	return []sre.Option{sre.WithModelServer(f.base)}
}

// localUser is whose conversations those at the terminal are.
const localUser = "local"

// runPrompt says one prompt to an agent and prints the answer.
func (a *app) runPrompt(ctx context.Context, file string, f modelFlags) (err error) {
	rt, err := a.start(ctx, f.server()...)
	if err != nil {
		return err
	}
	defer a.stop(rt, &err)
	agent, err := rt.LoadFile(ctx, a.path(file))
	if err != nil {
		return err
	}
	form, err := a.readForm(f.schema)
	if err != nil {
		return err
	}
	servers, err := a.lend(ctx, agent, f.mcp)
	if err != nil {
		return err
	}
	defer servers.release(&err)
	chat, model, err := a.openChat(ctx, agent, f, form, servers)
	if err != nil {
		return err
	}
	attached, err := a.attachments(f.files)
	if err != nil {
		return err
	}
	t := &talk{app: a, paint: a.paint(), silent: form.JSON}
	if a.json {
		quiet := *a
		quiet.Out, quiet.Err = io.Discard, io.Discard
		t.app = &quiet
	}
	end, err := t.say(ctx, chat, sre.Prompt{Text: f.prompt, Files: attached})
	if err != nil {
		return err
	}
	if !a.json {
		if form.JSON {
			return a.show(end.Object)
		}
		return nil
	}
	answer := value.M("text", value.Of(end.Text))
	if form.JSON {
		answer = value.M("object", end.Object)
	}
	return a.show(value.Obj(
		answer, value.M("model", value.Of(model)), value.M("finish", value.Of(string(end.Reason))),
		value.M("toolCalls", value.OfInt(end.Calls)), value.M("usage", usageValue(end.Usage)),
	))
}

// attachments reads files that a model is shown.
func (a *app) attachments(paths []string) ([]llm.File, error) {
	var out []llm.File
	for _, p := range paths {
		data, err := disk.ReadFile(a.path(p), int64(limits.Default().ResponseBytes))
		if err != nil {
			return nil, err
		}
		out = append(out, llm.File{Name: filepath.Base(p), MIME: mimeOf(p, data), Data: data})
	}
	return out, nil
}

// readForm reads the form that an answer is to have: a file of JSON Schema, or nothing for text.
func (a *app) readForm(file string) (llm.Format, error) {
	if file == "" {
		return llm.Format{}, nil
	}
	text, err := disk.ReadFile(a.path(file), int64(limits.Default().JSONBytes))
	if err != nil {
		return llm.Format{}, err
	}
	v, err := value.Decode(text, value.DefaultLimits())
	if err != nil {
		return llm.Format{}, &fault.Error{Op: "schema", Resource: file, Kind: fault.Invalid, Err: err}
	}
	return llm.Format{JSON: true, Name: "answer", Schema: v}, nil
}

// openChat begins a conversation with an agent. Without a model anywhere Echo answers, and says so.
func (a *app) openChat(ctx context.Context, agent *sre.Agent, f modelFlags, form llm.Format, servers *lent) (*sre.Chat, string, error) {
	o := f.options()
	o.Settings.Format, o.Tools = form, servers.tools
	if o.Resume == lastChat {
		kept, err := agent.Chats(ctx, localUser, time.Time{}, 1)
		if err != nil {
			return nil, "", err
		}
		if len(kept) == 0 {
			return nil, "", fault.Hint(fault.Newf(fault.NotFound, "there is no conversation with this agent yet"), "begin one: leave out --resume")
		}
		o.Resume = kept[0].ID
	}
	chat, err := agent.Chat(ctx, o)
	if err != nil {
		return nil, "", err
	}
	if chat.Model() == sre.DefaultModel && f.model == "" && o.Resume == "" {
		a.hint("no model is named, so Echo answers: it repeats what you say. Store a key with `sre vault set openai` (or set",
			"OPENAI_API_KEY) and name a model: --model gpt-5-mini")
	}
	return chat, chat.Model(), nil
}

// hint prints advice for people.
func (a *app) hint(lines ...string) {
	if !a.json {
		_, _ = io.WriteString(a.Err, a.paint().dim(strings.Join(lines, "\n"))+"\n")
	}
}

func (a *app) paint() paint { return paint(a.Terminal && a.Getenv("NO_COLOR") == "") }

// chatting is a chat at the terminal.
type chatting struct {
	*talk
	agent *sre.Agent
	chat  *sre.Chat
	flags modelFlags
	file  string

	servers *lent

	attached []llm.File // for the next prompt
	used     llm.Usage
	calls    int
}

// runChat holds a conversation until its input ends.
func (a *app) runChat(ctx context.Context, file string, f modelFlags) (err error) {
	rt, err := a.start(ctx, f.server()...)
	if err != nil {
		return err
	}
	defer a.stop(rt, &err)
	agent, err := rt.LoadFile(ctx, a.path(file))
	if err != nil {
		return err
	}
	servers, err := a.lend(ctx, agent, f.mcp)
	if err != nil {
		return err
	}
	c := &chatting{talk: &talk{app: a, paint: a.paint()}, agent: agent, servers: servers, flags: f, file: file}
	defer func() { c.servers.release(&err) }() // those of the last conversation
	chat, model, err := a.openChat(ctx, agent, f, llm.Format{}, servers)
	if err != nil {
		return err
	}
	c.chat = chat
	c.note(title(agent) + " with " + model + ". /help shows the commands, Ctrl-C stops an answer, Ctrl-D leaves.")
	c.recall(chat.Entries())
	defer c.wayBack()
	reading, stop := context.WithCancel(ctx)
	defer stop()
	lines := readLines(reading, a.In)
	for {
		c.ready()
		var line string
		ok := false
		select {
		case line, ok = <-lines:
		case <-ctx.Done():
		}
		if !ok {
			c.over()
			return nil
		}
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		if leave, err := c.line(ctx, line); leave || err != nil {
			return err
		}
	}
}

// ready asks somebody at a terminal for the next prompt.
func (c *chatting) ready() {
	if c.app.Terminal {
		_, _ = io.WriteString(c.app.Out, c.paint.bold("> "))
	}
}

// over ends the line of a prompt that never came.
func (c *chatting) over() {
	if c.app.Terminal {
		_, _ = io.WriteString(c.app.Out, "\n")
	}
}

// readLines gives the lines of a reader until it or ctx ends. A read that waits for somebody to type cannot be broken
// off: it ends with the process.
func readLines(ctx context.Context, in io.Reader) <-chan string {
	lines := make(chan string)
	go func() {
		defer close(lines)
		s := bufio.NewScanner(in)
		s.Buffer(nil, 1<<20)
		for s.Scan() {
			select {
			case lines <- s.Text():
			case <-ctx.Done():
				return
			}
		}
	}()
	return lines
}

// line does what a line says: a command, or a prompt.
func (c *chatting) line(ctx context.Context, line string) (leave bool, err error) {
	name, rest, _ := strings.Cut(line, " ")
	switch name {
	case "/exit", "/quit", "exit", "quit":
		return true, nil
	case "/help":
		c.help()
	case "/tools":
		for _, t := range c.chat.Tools() {
			c.note("· " + t.Name + "  " + clipLine(t.Description))
		}
	case "/attach":
		more, err := c.app.attachments([]string{strings.TrimSpace(rest)})
		if err != nil {
			c.app.fail(err)
			return false, nil
		}
		c.attached = append(c.attached, more...)
		c.note("· " + more[0].Name + " goes with the next prompt")
	case "/usage":
		c.note("· " + usageText(c.used, c.calls))
	case "/clear":
		return false, c.restart(ctx, c.chat.Model())
	case "/model":
		if rest == "" {
			c.note("· " + c.chat.Model())
			return false, nil
		}
		return false, c.restart(ctx, strings.TrimSpace(rest))
	default:
		if strings.HasPrefix(line, "/") && !(name == "/call" && c.chat.Model() == sre.DefaultModel) { // Echo's own
			c.note("there is no command " + name + "; /help shows them")
			return false, nil
		}
		return false, c.answer(ctx, line)
	}
	return false, nil
}

func (c *chatting) help() {
	for _, l := range []string{
		"/model [ID]  show the model, or begin anew with another one", "/tools       what the model can use", "/usage       what was used so far",
		"/attach FILE a file for the next prompt",
		"/clear       begin anew", "/exit        leave (or Ctrl-D)", "Ctrl-C       stop the answer and keep the conversation",
	} {
		c.note(l)
	}
}

// restart begins a new conversation. A model that cannot be asked leaves the one that goes on.
func (c *chatting) restart(ctx context.Context, model string) error {
	servers, err := c.app.lend(ctx, c.agent, c.flags.mcp) // they remember nothing of the conversation before
	if err != nil {
		c.app.fail(err)
		return nil
	}
	o := c.flags.options()
	o.Model, o.Resume, o.Tools = model, "", servers.tools
	chat, err := c.agent.Chat(ctx, o)
	if err != nil {
		_ = servers.close() // the error says more
		c.app.fail(err)
		return nil
	}
	if err := c.servers.close(); err != nil {
		c.app.fail(err)
	}
	c.chat, c.servers, c.used, c.calls = chat, servers, llm.Usage{}, 0
	c.note("· a new conversation with " + model)
	return nil
}

var errStopped = errors.New("stopped")

// answer says a prompt. An interrupt stops the answer and not the chat; an error is shown, and the chat goes on.
func (c *chatting) answer(ctx context.Context, prompt string) error {
	answering, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	release := c.app.Interrupts.Take(func() { stop(errStopped) })
	end, err := c.say(answering, c.chat, sre.Prompt{Text: prompt, Files: c.attached})
	c.attached = nil
	release()
	c.used, c.calls = c.used.Add(end.Usage), c.calls+end.Calls
	switch {
	case errors.Is(context.Cause(answering), errStopped):
		c.note("· stopped")
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case err != nil:
		c.app.fail(err)
	}
	return nil
}

func (f modelFlags) talksNot() bool { return !f.chat && f.prompt == "" }

// checkModelFlags refuses flags that say different things.
func checkModelFlags(f modelFlags, skill string, rest []string) error {
	switch {
	case f.chat && f.prompt != "":
		return usageError{fault.Newf(fault.Invalid, "--chat and --prompt exclude each other")}
	case (f.chat || f.prompt != "") && (skill != "" || len(rest) > 0):
		return usageError{fault.Newf(fault.Invalid, "a skill with its inputs is run without --chat and --prompt")}
	case f.schema != "" && f.prompt == "":
		return usageError{fault.Newf(fault.Invalid, "--schema needs --prompt")}
	case f.talksNot() && f.model != "":
		return usageError{fault.Newf(fault.Invalid, "--model needs --chat or --prompt")}
	case len(f.files) > 0 && f.prompt == "":
		return usageError{fault.Newf(fault.Invalid, "--attach needs --prompt; in a chat, type /attach FILE")}
	case f.base != "" && f.model == "":
		return usageError{fault.Newf(fault.Invalid, "--base-url needs --model, the name of a model on that server")}
	case f.talksNot() && f.resume != "":
		return usageError{fault.Newf(fault.Invalid, "--resume needs --chat or --prompt")}
	case f.schema != "" && f.prompt == "":
		return usageError{fault.Newf(fault.Invalid, "--schema needs --prompt")}
	case f.talksNot() && f.mode != "default":
		return usageError{fault.Newf(fault.Invalid, "--mode needs --chat or --prompt")}
	case f.talksNot() && len(f.mcp) > 0:
		return usageError{fault.Newf(fault.Invalid, "--mcp needs --chat or --prompt; a skill uses a server with the component MCPClient")}
	case f.forget && (!f.chat || f.resume != ""):
		return usageError{fault.Newf(fault.Invalid, "--no-history is for a new --chat: a prompt is not kept, and what is resumed is")}
	}
	return nil
}
