package cli

import (
	"context"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sre-go/sre"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/value"
)

func (a *app) agent() *cobra.Command {
	var skill string
	var f modelFlags
	c := &cobra.Command{
		Use:   "agent FILE [--skill NAME] [input=value ...]",
		Short: "Run a skill of an agent, or talk to it",
		Long: "Runs one skill of the agent in FILE and prints what it answers. Inputs are given as name=value and converted to\n" +
			"the type the skill declares; name:=value is JSON; name=@path is the content of a file, or the file itself for\n" +
			"inputs that take files. It ends when the background jobs of the run have ended. Without --skill the skills of the agent are listed, unless it has only one.\n" +
			"With --prompt or --chat a model answers that uses the skills as tools: the one of the agent's file, or --model.",
		Example: "  sre agent hello.smyth --skill greet name=Ada\n  sre agent report.smyth --skill read file=@report.pdf\n" +
			"  sre agent sum.smyth --skill add 'numbers:=[1,2,3]' --json\n" +
			"  sre agent hello.smyth --prompt \"greet Ada\" --model gpt-5-mini\n  sre agent hello.smyth --chat\n  sre agent hello.smyth --chat --resume\n" +
			"  sre agent hello.smyth --chat --base-url http://127.0.0.1:8080/v1 --model qwen3\n" +
			"  sre agent hello.smyth --prompt \"plan a party\" --mode planner\n  sre agent hello.smyth --chat --mcp files --mcp search",
		Args: arguments(1, -1, "an agent file and its inputs"),
		RunE: func(c *cobra.Command, args []string) error {
			if err := checkModelFlags(f, skill, args[1:]); err != nil {
				return err
			}
			switch {
			case f.chat:
				return a.runChat(c.Context(), args[0], f)
			case f.prompt != "":
				return a.runPrompt(c.Context(), args[0], f)
			}
			return a.runAgent(c.Context(), args[0], skill, args[1:])
		},
	}
	c.Flags().StringVarP(&f.prompt, "prompt", "p", "", "what to say to the agent")
	c.Flags().BoolVarP(&f.chat, "chat", "c", false, "talk with the agent until the input ends")
	c.Flags().StringVar(&f.model, "model", "", "the model to ask: an id of the catalogue, or provider/model")
	c.Flags().StringArrayVar(&f.files, "attach", nil, "a file that the model is shown with the prompt; may be given again")
	c.Flags().StringVar(&f.base, "base-url", "", "a server that speaks OpenAI's interface, for --model: vLLM, LM Studio, llama.cpp and others")
	c.Flags().StringVar(&f.mode, "mode", "default", "how the model goes about it: default, or planner for a list of tasks first")
	c.Flags().StringVar(&f.schema, "schema", "", "a file of JSON Schema that the answer to --prompt has to fit")
	c.Flags().StringVar(&f.resume, "resume", "", "go on with a conversation: its id, or the last one")
	c.Flags().Lookup("resume").NoOptDefVal = lastChat
	c.Flags().StringArrayVar(&f.mcp, "mcp", nil, "an MCP server of the configuration whose tools the model may use, too; may be given again")
	_ = c.RegisterFlagCompletionFunc("mcp", a.serverNames)
	c.Flags().BoolVar(&f.forget, "no-history", false, "do not keep the conversation")
	_ = c.RegisterFlagCompletionFunc("mode", cobra.FixedCompletions([]string{"default", string(sre.PlannerMode)}, cobra.ShellCompDirectiveNoFileComp))
	c.Flags().StringVar(&skill, "skill", "", "the skill to run")
	_ = c.RegisterFlagCompletionFunc("skill", func(c *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		if len(args) == 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return a.skillNames(c.Context(), args[0]), cobra.ShellCompDirectiveNoFileComp
	})
	c.ValidArgsFunction = smythFiles
	return c
}

// smythFiles completes the first argument with agent files.
func smythFiles(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return []string{"smyth"}, cobra.ShellCompDirectiveFilterFileExt
}

func (a *app) skillNames(ctx context.Context, file string) []string {
	rt, err := a.start(ctx)
	if err != nil {
		return nil
	}
	defer func() { _ = rt.Close(ctx) }()
	agent, err := rt.LoadFile(ctx, a.path(file))
	if err != nil {
		return nil
	}
	var names []string
	for _, s := range agent.Skills() {
		names = append(names, s.Name)
	}
	return names
}

func (a *app) runAgent(ctx context.Context, file, name string, args []string) (err error) {
	rt, err := a.start(ctx)
	if err != nil {
		return err
	}
	defer a.stop(rt, &err)
	agent, err := rt.LoadFile(ctx, a.path(file))
	if err != nil {
		return err
	}
	skills := agent.Skills()
	if name == "" && len(skills) != 1 {
		return a.showSkills(agent, file, skills)
	}
	if name == "" {
		name = skills[0].Name
	}
	skill, err := agent.Skill(name)
	if err != nil {
		return err
	}
	in, err := a.inputs(skill, args)
	if err != nil {
		return err
	}
	req := sre.Request{Method: skill.Method, Path: "/api/" + skill.Name, Body: in.values, Files: in.files}
	if skill.Method == "GET" {
		req.Body, req.Query = value.Value{}, in.values
	}
	answer, err := agent.Answer(ctx, req)
	if err != nil {
		return err
	}
	if err := agent.WaitJobs(ctx); err != nil {
		return err
	}
	if answer.IsArray() && answer.Len() == 0 && !a.json {
		_, err := io.WriteString(a.Err, "sre: the run ended without an answer: it reached no component that gives one\n")
		return err
	}
	return a.show(answer)
}

// showSkills lists the skills of an agent that was run without naming one.
func (a *app) showSkills(agent *sre.Agent, file string, skills []sre.Skill) error {
	if a.json {
		return a.show(skillList(skills))
	}
	if len(skills) == 0 {
		return fault.Hint(fault.Newf(fault.NotFound, "%s has no skills", file), "an agent needs an APIEndpoint")
	}
	lines := []string{title(agent) + " has these skills. Run one with --skill NAME:", ""}
	for _, s := range skills {
		lines = append(lines, "  "+signature(s))
		if s.Description != "" {
			lines = append(lines, "      "+strings.Join(strings.Fields(s.Description), " "))
		}
	}
	return a.print(lines...)
}

// title is the name of an agent, or its id when it has none.
func title(agent *sre.Agent) string {
	if name := agent.Document().Name; name != "" {
		return name
	}
	return agent.ID()
}

// signature is a skill with its inputs, as it would be called: "greet name=Text [language=Text]".
func signature(s sre.Skill) string {
	parts := []string{s.Name}
	for _, in := range s.Inputs {
		typ := in.Type
		if typ == "" {
			typ = "Any"
		}
		text := in.Name + "=" + typ
		if in.Optional || in.DefaultVal.Truthy() {
			text = "[" + text + "]"
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, " ")
}

func skillList(skills []sre.Skill) value.Value {
	list := make([]value.Value, len(skills))
	for i, s := range skills {
		inputs := make([]value.Value, len(s.Inputs))
		for k, in := range s.Inputs {
			inputs[k] = value.Obj(value.M("name", value.Of(in.Name)), value.M("type", value.Of(in.Type)),
				value.M("optional", value.OfBool(in.Optional)), value.M("description", value.Of(in.Description)))
		}
		list[i] = value.Obj(value.M("name", value.Of(s.Name)), value.M("method", value.Of(s.Method)),
			value.M("description", value.Of(s.Description)), value.M("inputs", value.OfItems(inputs)))
	}
	return value.OfItems(list)
}
