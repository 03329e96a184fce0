//! `facetta demo`: makes the demo's data once, serves it, and shows how to connect.

use super::client::{Client, Trouble};
use super::output::{Table, print_table};
use super::server_flags::ServerFlags;
use super::{Usage, folder, serve};
use crate::demo::{ROWS, SEED, prepare};
use anyhow::Result;
use clap::Args;
use facetta_server::Settings;
use facetta_server::settings::CatalogSettings;
use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Instant;

/// Make a demo catalog of a retail chain, serve it and say how to connect.
///
/// The data is made up by a seeded generator, the same on every machine: three years of sales of a retail chain, its
/// stock by month and its salaries.
#[derive(Args)]
pub(super) struct Demo {
    /// Where to listen; port 0 takes a free one
    #[arg(long, env = "FACETTA_LISTEN", default_value = "127.0.0.1:8080", value_name = "ADDRESS")]
    listen: SocketAddr,
    /// Where data and state are kept (default: the platform's folder for data of programs)
    #[arg(long, env = "FACETTA_DATA_DIR", value_name = "FOLDER")]
    data_dir: Option<PathBuf>,
    /// How many sales there are
    #[arg(long, default_value_t = ROWS, value_name = "N")]
    rows: usize,
}

/// Net sales and profit by country and year.
const SAMPLE: &str = "\
SELECT CrossJoin({[Date].[Calendar].[Year].Members}, {[Measures].[Sales Amount], [Measures].[Margin]}) ON COLUMNS,
       NON EMPTY {[Store].[Geography].[All], [Store].[Geography].[Country].Members} ON ROWS
FROM [Retail]";

impl Demo {
    pub(super) fn run(self) -> Result<()> {
        if !(1..=1_000_000_000).contains(&self.rows) {
            return Err(Usage::of("--rows must be from 1 to 1000000000"));
        }
        let data_dir = self.data_dir.map_or_else(folder::data, Ok)?.join("demo");
        let start = Instant::now();
        let files = prepare(&data_dir, SEED, self.rows)?;
        if files.made {
            tracing::info!(folder = %files.source.display(), seconds = start.elapsed().as_secs_f64(), "made the demo's data");
        }
        let catalog =
            CatalogSettings { name: "Demo".to_string(), schema: files.schema, source: files.source, writable: true };
        let settings = Settings {
            listen: self.listen,
            data_dir: Some(data_dir),
            catalogs: vec![catalog],
            ..ServerFlags::default().settings()?
        };
        serve::serve(settings, greet)
    }
}

/// The first answer, and how to get more of them.
fn greet(url: &str) -> Result<()> {
    let answer = match Client::new(url, None, Some("Demo"))?.statement(SAMPLE) {
        Ok(answer) => Some(Table::of(answer)),
        // Somebody has added users to the demo's folder: it answers them, and this command is none of them.
        Err(error) if matches!(error.downcast_ref(), Some(Trouble::Login(_))) => None,
        Err(error) => return Err(error.context("asking the sample query")),
    };
    let mut out = std::io::stdout().lock();
    if let Some(table) = answer {
        writeln!(out, "\n{SAMPLE}\n")?;
        print_table(&mut out, &table)?;
    }
    writeln!(out, "{}", connect(url))?;
    Ok(out.flush()?)
}

fn connect(url: &str) -> String {
    let pump = url.replace("/xmla", "/olap/msmdpump.dll");
    format!(
        r#"
Connect to catalog Demo, cube Retail:
  Excel      Data > Get Data > From Database > From Analysis Services, server name {pump}
  ADOMD.NET  new AdomdConnection("Data Source={url};Catalog=Demo")
  olap4j     DriverManager.getConnection("jdbc:xmla:Server={url};Catalog=Demo")
  Python     from urllib.request import Request, urlopen
             soap = '<Envelope xmlns="http://schemas.xmlsoap.org/soap/envelope/"><Body><Execute xmlns="urn:schemas-microsoft-com:xml-analysis"><Command><Statement>{{}}</Statement></Command></Execute></Body></Envelope>'
             mdx = "SELECT [Measures].Members ON 0 FROM [Retail]"
             print(urlopen(Request("{url}", soap.format(mdx).encode())).read().decode())
  shell      facetta query --url {url} --catalog Demo 'SELECT [Measures].Members ON 0 FROM [Retail]'

Stop with Ctrl+C."#
    )
}
