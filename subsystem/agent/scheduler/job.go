package scheduler

import (
	"strings"
	"time"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/value"
)

// JobType is what kind of thing a job does.
type JobType string

// The types of jobs.
const (
	SkillJob   JobType = "skill"   // calls a skill of the agent
	TriggerJob JobType = "trigger" // fires a trigger of the agent
	PromptJob  JobType = "prompt"  // says something to the agent, as a person would
)

// Bounds of a job.
const (
	MaxRetries = 100
	MaxTimeout = 24 * time.Hour
)

// Job is what is to be done.
type Job struct {
	Type    JobType
	Agent   string      // id
	Skill   string      // of a [SkillJob]
	Args    value.Value // inputs of the skill, an object; absent for none
	Trigger string      // of a [TriggerJob]
	Prompt  string      // of a [PromptJob]

	Name        string
	Description string
	Tags        []string
	Retry       bool          // whether to try again after a failure
	MaxRetries  int           // at most so often
	Timeout     time.Duration // of one attempt; 0 for the limits of the runtime alone

	more []value.Member // of the metadata, kept as they are
}

// ParseJob reads {type, agentId, skillName, args, triggerName, prompt, metadata}. What cannot be one is [fault.Invalid],
// in the words of the reference.
func ParseJob(v value.Value) (Job, error) {
	j := Job{
		Type: JobType(v.GetString("type")), Agent: v.GetString("agentId"), Skill: v.GetString("skillName"), Args: v.Get("args"),
		Trigger: v.GetString("triggerName"), Prompt: v.GetString("prompt"),
	}
	if j.Args.IsNull() {
		j.Args = value.Value{}
	}
	for _, m := range v.Get("metadata").Members() {
		text, _ := m.Value.Str()
		switch m.Key {
		case "name":
			j.Name = text
		case "description":
			j.Description = text
		case "tags":
			for _, tag := range m.Value.Items() {
				j.Tags = append(j.Tags, tag.Plain())
			}
		case "retryOnFailure":
			j.Retry = m.Value.Truthy()
		case "maxRetries":
			n, _ := m.Value.Num()
			j.MaxRetries = int(min(max(n, 0), MaxRetries))
		case "timeout":
			ms, _ := m.Value.Num()
			j.Timeout = time.Duration(min(max(ms, 0), float64(MaxTimeout.Milliseconds()))) * time.Millisecond
		default:
			j.more = append(j.more, m)
		}
	}
	return j, j.Check()
}

// Check refuses a job that says too little to be done, or what no job can be.
func (j Job) Check() error {
	switch {
	case j.Type != SkillJob && j.Type != TriggerJob && j.Type != PromptJob:
		return fault.Newf(fault.Invalid, `Job type must be either "skill", "prompt", or "trigger"`)
	case j.Agent == "":
		return fault.Newf(fault.Invalid, "Job must have an agentId")
	case j.Type == SkillJob && j.Skill == "":
		return fault.Newf(fault.Invalid, "Skill job must have a skillName")
	case j.Type == PromptJob && j.Prompt == "":
		return fault.Newf(fault.Invalid, "Prompt job must have a prompt")
	case j.Type == TriggerJob && j.Trigger == "":
		return fault.Newf(fault.Invalid, "Trigger job must have a triggerName")
	case !j.Args.IsAbsent() && !j.Args.IsObject():
		return fault.Newf(fault.Invalid, "the args of a job are an object")
	case j.MaxRetries < 0 || j.MaxRetries > MaxRetries:
		return fault.Newf(fault.Invalid, "maxRetries is a number from 0 to %d, not %d", MaxRetries, j.MaxRetries)
	case j.Timeout < 0 || j.Timeout > MaxTimeout:
		return fault.Newf(fault.Invalid, "timeout is at most %d milliseconds", MaxTimeout.Milliseconds())
	}
	return access.ValidID(j.Agent)
}

// Value returns the form that [ParseJob] reads.
func (j Job) Value() value.Value {
	v := value.NewBuilder(5).Set("type", value.Of(string(j.Type))).Set("agentId", value.Of(j.Agent))
	switch j.Type {
	case SkillJob:
		v.Set("skillName", value.Of(j.Skill))
		if !j.Args.IsAbsent() {
			v.Set("args", j.Args)
		}
	case TriggerJob:
		v.Set("triggerName", value.Of(j.Trigger))
	case PromptJob:
		v.Set("prompt", value.Of(j.Prompt))
	}
	more := value.NewBuilder(6 + len(j.more))
	if j.Name != "" {
		more.Set("name", value.Of(j.Name))
	}
	if j.Description != "" {
		more.Set("description", value.Of(j.Description))
	}
	more.Set("retryOnFailure", value.OfBool(j.Retry)).Set("maxRetries", value.OfInt(j.MaxRetries)).Set("tags", value.Strings(j.Tags))
	if j.Timeout > 0 {
		more.Set("timeout", value.OfInt(int(j.Timeout.Milliseconds())))
	}
	for _, m := range j.more {
		more.Set(m.Key, m.Value)
	}
	return v.Set("metadata", more.Build()).Build()
}

// String returns what the job does in a few words, such as "skill greet of hello".
func (j Job) String() string {
	what := j.Skill
	switch j.Type {
	case TriggerJob:
		what = j.Trigger
	case PromptJob:
		what = strings.Join(strings.Fields(j.Prompt), " ")
	}
	return string(j.Type) + " " + what + " of " + j.Agent
}
