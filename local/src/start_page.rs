//! What `cargo dev` prints when the stack is ready: routes, queues, schedules, tokens, and where everything is.

use std::fmt::{self, Display, Formatter};

use crate::stack::Stack;

/// The page; `colour` for a terminal.
pub struct StartPage<'a> {
    pub stack: &'a Stack,
    pub colour: bool,
}

impl Display for StartPage<'_> {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        let Self { stack, .. } = self;
        writeln!(f, "\n{}\n{}\n", self.strong(&stack.base_url()), self.strong(&stack.docs_url()))?;
        self.routes(f)?;
        self.sources(f)?;
        let camera = stack.camera().map(|camera| camera.url()).unwrap_or_default();
        let aws = stack.aws();
        let places = [
            ("dynamodb", aws.dynamodb.as_str()),
            ("sqs", &aws.sqs),
            ("s3", &aws.s3),
            ("identity", stack.identity().issuer()),
            ("camera", camera),
        ];
        writeln!(f, "{}", self.strong("Services"))?;
        for (name, url) in places {
            writeln!(f, "  {name:<12}{url}")?;
        }
        if let Some(model) = stack.grpc_model() {
            writeln!(f, "  {:<12}{}", "gRPC model", model.url())?;
        }
        writeln!(f, "\n{}", self.strong("Tokens (good for 24 hours)"))?;
        for (name, token) in stack.tokens() {
            let id = stack.users().get(name).map(ToString::to_string).unwrap_or_default();
            writeln!(f, "  {name:<12}{id}\n  {token}\n")?;
        }
        writeln!(f, "{} rebuild, {} quit (each with Enter)\n", self.strong("r"), self.strong("q"))
    }
}

impl StartPage<'_> {
    fn routes(&self, f: &mut Formatter) -> fmt::Result {
        let mut routes: Vec<_> = self.stack.model().routes.iter().collect();
        routes.sort_by(|a, b| (&a.path, &a.method).cmp(&(&b.path, &b.method)));
        let width = routes.iter().map(|route| route.path.len()).max().unwrap_or_default();
        writeln!(f, "{}", self.strong("Routes"))?;
        for route in routes {
            writeln!(f, "  {:<8}{:<width$}  {}", route.method, route.path, route.function)?;
        }
        writeln!(f)
    }

    /// Queues and schedules, each with what it invokes.
    fn sources(&self, f: &mut Formatter) -> fmt::Result {
        let model = self.stack.model();
        if model.mappings.is_empty() && model.schedules.is_empty() {
            return Ok(());
        }
        writeln!(f, "{}", self.strong("Queues and schedules"))?;
        let state = |enabled| if enabled { "" } else { " (disabled)" };
        for mapping in &model.mappings {
            let state = state(mapping.enabled);
            writeln!(f, "  {:<18}{:<24}  {}{state}", mapping.id, mapping.queue, mapping.function)?;
        }
        for schedule in &model.schedules {
            let state = match schedule.period {
                None if schedule.enabled => " (not fired here)",
                _ => state(schedule.enabled),
            };
            writeln!(f, "  {:<18}{:<24}  {}{state}", schedule.id, schedule.expression, schedule.function)?;
        }
        writeln!(f)
    }

    fn strong(&self, text: &str) -> String {
        if self.colour { format!("\x1b[1m{text}\x1b[0m") } else { text.to_owned() }
    }
}
