-- What the AI did for a run and what it cost, and which version of the prompt a report was written by.

alter table runs add column ai jsonb;
comment on column runs.ai is 'Of all attempts so far: calls, tokens, the last prompt version and model, and the cost where prices were entered.';

alter table reports add column prompt_version integer;
comment on column reports.prompt_version is 'The version of the AI settings that the narrative was written by.';
